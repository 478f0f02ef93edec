// Tests that are data: each call is made twice, and a letter is written for each.
public class Main {
    interface Test { boolean holds() throws Exception; }
    @SuppressWarnings("unchecked")
    static <K, V> HashMap<K, V> map(Object... pairs) {
        HashMap<K, V> made = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) made.put((K) pairs[i], (V) pairs[i + 1]);
        return made;
    }
    static List<Object> items(Object x) {
        List<Object> found = new ArrayList<>();
        for (int i = 0; i < java.lang.reflect.Array.getLength(x); i++) found.add(java.lang.reflect.Array.get(x, i));
        return found;
    }
    static boolean real(Object x) { return x instanceof Double || x instanceof Float; }
    static boolean same(Object a, Object b) {
        if (a instanceof Optional) a = ((Optional<?>) a).orElse(null);
        if (b instanceof Optional) b = ((Optional<?>) b).orElse(null);
        if (a instanceof OptionalInt) a = ((OptionalInt) a).isPresent() ? ((OptionalInt) a).getAsInt() : null;
        if (b instanceof OptionalInt) b = ((OptionalInt) b).isPresent() ? ((OptionalInt) b).getAsInt() : null;
        if (a instanceof OptionalLong) a = ((OptionalLong) a).isPresent() ? ((OptionalLong) a).getAsLong() : null;
        if (b instanceof OptionalLong) b = ((OptionalLong) b).isPresent() ? ((OptionalLong) b).getAsLong() : null;
        if (a instanceof OptionalDouble) a = ((OptionalDouble) a).isPresent() ? ((OptionalDouble) a).getAsDouble() : null;
        if (b instanceof OptionalDouble) b = ((OptionalDouble) b).isPresent() ? ((OptionalDouble) b).getAsDouble() : null;
        if (a == null || b == null) return a == b;
        if (a.getClass().isArray()) a = items(a);
        if (b.getClass().isArray()) b = items(b);
        if (a instanceof Number && b instanceof Number) {
            if (a instanceof java.math.BigDecimal && b instanceof java.math.BigDecimal) return ((java.math.BigDecimal) a).compareTo((java.math.BigDecimal) b) == 0;
            if (a instanceof java.math.BigInteger || b instanceof java.math.BigInteger) return a.toString().equals(b.toString());
            double x = ((Number) a).doubleValue(), y = ((Number) b).doubleValue();
            if (real(a) && !(a instanceof Float) && Math.rint(x) == x && Math.rint(y) == y && Math.abs(y) < 0x1p53) return x == y;
            if (real(a) || real(b))
                return x == y || Math.abs(x - y) <= Math.max(1e-12, (a instanceof Float ? 1e-6 : 1e-9) * Math.abs(y));
            return ((Number) a).longValue() == ((Number) b).longValue();
        }
        if (a instanceof Map && b instanceof Map) {
            Map<?, ?> x = (Map<?, ?>) a, y = (Map<?, ?>) b;
            if (x.size() != y.size()) return false;
            for (Object key : y.keySet()) if (!x.containsKey(key) || !same(x.get(key), y.get(key))) return false;
            return true;
        }
        if (a instanceof Set && b instanceof Set) return a.equals(b);
        if (a instanceof Collection && b instanceof Collection) {
            Iterator<?> x = ((Collection<?>) a).iterator(), y = ((Collection<?>) b).iterator();
            while (x.hasNext() && y.hasNext()) if (!same(x.next(), y.next())) return false;
            return !x.hasNext() && !y.hasNext();
        }
        return a.equals(b);
    }
    static boolean moved;
    static void kept(boolean same) { moved = moved || !same; }
    static void run(int place, Test test) {
        String letter = "E";
        moved = false;
        try { letter = test.holds() ? (test.holds() ? (moved ? "M" : "P") : "V") : "F"; } catch (Throwable error) {
            String text = String.valueOf(error).replaceAll("\\s+", " ");
            System.out.println("\nWAVECODER_MARK ! " + text.substring(0, Math.min(120, text.length())));
        }
        System.out.println("\nWAVECODER_MARK " + place + " " + letter);
        System.out.flush();
    }
    public static void main(String[] args) {
        // WAVECODER_TESTS
    }
}
