// The types of Java's library that are data: containers, cells that hold one value, values that have a text.

import java.io.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
import java.util.stream.*;

final class Library {
    private static final List<Class<?>> KINDS = List.of(ArrayList.class, LinkedList.class, Vector.class, Stack.class,
        ArrayDeque.class, PriorityQueue.class, HashSet.class, LinkedHashSet.class, TreeSet.class, HashMap.class,
        LinkedHashMap.class, TreeMap.class, Hashtable.class, IdentityHashMap.class, ConcurrentHashMap.class,
        ConcurrentSkipListMap.class, ConcurrentSkipListSet.class, CopyOnWriteArrayList.class, CopyOnWriteArraySet.class,
        ConcurrentLinkedQueue.class, ConcurrentLinkedDeque.class, LinkedBlockingQueue.class, LinkedBlockingDeque.class,
        PriorityBlockingQueue.class);
    private static final int FIXED = 100, LIST = 101, SET = 102, MAP = 103, ENUM_MAP = 104, ENUM_SET = 105;
    private static final List<Class<?>> CELLS = List.of(StringBuilder.class, StringBuffer.class, AtomicInteger.class,
        AtomicLong.class, AtomicBoolean.class, AtomicReference.class);
    private static final Set<Class<?>> VALUES = Set.of(OptionalInt.class, OptionalLong.class, OptionalDouble.class,
        IntSummaryStatistics.class, LongSummaryStatistics.class, DoubleSummaryStatistics.class, UUID.class, BitSet.class, java.util.regex.Pattern.class, Locale.class);

    /** Whether it crosses as what it holds; everything else that has a number stays where it is. */
    static boolean isData(Object x) {
        return x instanceof Collection || x instanceof Map || x.getClass().isArray() || isCell(x);
    }

    static boolean isCell(Object x) {
        return CELLS.contains(x.getClass());
    }

    static String nameOf(Object x) {
        return x.getClass().getName();
    }

    static Object cell(String name) throws IOException {
        for (Class<?> kind : CELLS) if (kind.getName().equals(name)) return made(kind);
        throw new EOFException(name);
    }

    static Object valueOf(Object cell) {
        if (cell instanceof AtomicReference) return ((AtomicReference<?>) cell).get();
        if (cell instanceof AtomicBoolean) return ((AtomicBoolean) cell).get();
        if (cell instanceof AtomicInteger) return ((AtomicInteger) cell).get();
        return cell instanceof AtomicLong ? (Object) ((AtomicLong) cell).get() : cell.toString();
    }

    @SuppressWarnings("unchecked")
    static void write(Object cell, Object value) {
        if (cell instanceof AtomicReference) ((AtomicReference<Object>) cell).set(value);
        else if (cell instanceof AtomicBoolean) ((AtomicBoolean) cell).set((Boolean) value);
        else if (cell instanceof AtomicInteger) ((AtomicInteger) cell).set((Integer) value);
        else if (cell instanceof AtomicLong) ((AtomicLong) cell).set((Long) value);
        else if (cell instanceof StringBuilder) ((StringBuilder) cell).replace(0, ((StringBuilder) cell).length(), (String) value);
        else ((StringBuffer) cell).replace(0, ((StringBuffer) cell).length(), (String) value);
    }

    static boolean isValue(Object x) {
        return VALUES.contains(x.getClass()) || nameOf(x).matches("java\\.time\\.\\w+") && !(x instanceof Enum);
    }

    static String textOf(Object x) {
        if (x instanceof OptionalInt) return ((OptionalInt) x).isPresent() ? "" + ((OptionalInt) x).getAsInt() : "";
        if (x instanceof OptionalLong) return ((OptionalLong) x).isPresent() ? "" + ((OptionalLong) x).getAsLong() : "";
        if (x instanceof OptionalDouble) return ((OptionalDouble) x).isPresent() ? "" + ((OptionalDouble) x).getAsDouble() : "";
        if (x instanceof IntSummaryStatistics) { IntSummaryStatistics s = (IntSummaryStatistics) x; return summary(s.getCount(), s.getMin(), s.getMax(), s.getSum()); }
        if (x instanceof LongSummaryStatistics) { LongSummaryStatistics s = (LongSummaryStatistics) x; return summary(s.getCount(), s.getMin(), s.getMax(), s.getSum()); }
        if (x instanceof DoubleSummaryStatistics) { DoubleSummaryStatistics s = (DoubleSummaryStatistics) x; return summary(s.getCount(), s.getMin(), s.getMax(), s.getSum()); }
        if (x instanceof BitSet) return Arrays.toString(((BitSet) x).toLongArray()).replaceAll("[\\[\\] ]", "");
        if (x instanceof java.util.regex.Pattern) return ((java.util.regex.Pattern) x).flags() + " " + x;
        return x instanceof Locale ? ((Locale) x).toLanguageTag() : x.toString();
    }

    private static String summary(Object... parts) {
        return Arrays.stream(parts).map(String::valueOf).collect(Collectors.joining(" "));
    }

    static Object parsed(String name, String text) throws IOException {
        String[] parts = text.split(" ");
        switch (name) {
            case "java.util.IntSummaryStatistics": return new IntSummaryStatistics(Long.parseLong(parts[0]), Integer.parseInt(parts[1]), Integer.parseInt(parts[2]), Long.parseLong(parts[3]));
            case "java.util.LongSummaryStatistics": return new LongSummaryStatistics(Long.parseLong(parts[0]), Long.parseLong(parts[1]), Long.parseLong(parts[2]), Long.parseLong(parts[3]));
            case "java.util.DoubleSummaryStatistics": return new DoubleSummaryStatistics(Long.parseLong(parts[0]), Double.parseDouble(parts[1]), Double.parseDouble(parts[2]), Double.parseDouble(parts[3]));
            case "java.util.OptionalInt": return text.isEmpty() ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(text));
            case "java.util.OptionalLong": return text.isEmpty() ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(text));
            case "java.util.OptionalDouble": return text.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(Double.parseDouble(text));
            case "java.util.UUID": return UUID.fromString(text);
            case "java.util.BitSet": return text.isEmpty() ? new BitSet() : BitSet.valueOf(Arrays.stream(text.split(",")).mapToLong(Long::parseLong).toArray());
            case "java.util.regex.Pattern": return java.util.regex.Pattern.compile(text.split(" ", 2)[1], Integer.parseInt(text.split(" ", 2)[0]));
            case "java.util.Locale": return Locale.forLanguageTag(text);
            case "java.time.ZoneOffset": return java.time.ZoneOffset.of(text);
            case "java.time.ZoneRegion": return java.time.ZoneId.of(text);
        }
        if (!name.matches("java\\.time\\.\\w+")) throw new EOFException(name);
        try {
            return Class.forName(name, true, null).getMethod("parse", CharSequence.class).invoke(null, text);
        } catch (ReflectiveOperationException error) {
            throw new EOFException(error.toString());
        }
    }

    static char kindOf(BaseStream<?, ?> x) {
        return x instanceof IntStream ? 'I' : x instanceof LongStream ? 'L' : x instanceof DoubleStream ? 'D' : 'S';
    }

    /** A stream of what an iterator of the other side gives, one by one: it may have no end. */
    @SuppressWarnings("unchecked")
    static Object stream(byte kind, Object of) {
        Iterator<Object> items = (Iterator<Object>) of;
        Stream<Object> made = StreamSupport.stream(Spliterators.spliteratorUnknownSize(items, Spliterator.ORDERED), false);
        if (kind == 'I') return made.mapToInt(x -> (Integer) x);
        if (kind == 'L') return made.mapToLong(x -> (Long) x);
        return kind == 'D' ? made.mapToDouble(x -> (Double) x) : made;
    }

    /** Which kind of container the other side is to make: a class of KINDS, a list of fixed size, or a read-only one. */
    private static int kindOf(Object x) {
        if (x instanceof EnumMap) return ENUM_MAP;
        if (x instanceof EnumSet) return ENUM_SET;
        for (Class<?> type = x.getClass(); type != null; type = type.getSuperclass())
            if (KINDS.contains(type)) return KINDS.indexOf(type);
        String name = nameOf(x);
        if (name.equals("java.util.Arrays$ArrayList")) return FIXED;
        boolean readOnly = name.startsWith("java.util.ImmutableCollections")
            || name.matches("java\\.util\\.Collections\\$(?!Synchronized|Checked|SetFromMap|CopiesList).*");
        if (x instanceof List) return readOnly || name.endsWith("CopiesList") ? LIST : 0;
        if (x instanceof Set) return readOnly ? SET : KINDS.indexOf(x instanceof SortedSet ? TreeSet.class : LinkedHashSet.class);
        if (x instanceof Map) return readOnly ? MAP : KINDS.indexOf(x instanceof SortedMap ? TreeMap.class : LinkedHashMap.class);
        return x instanceof Deque ? KINDS.indexOf(ArrayDeque.class) : 0;
    }

    static boolean mayChange(Object x) {
        return !(x instanceof Collection || x instanceof Map) || kindOf(x) < LIST || kindOf(x) > MAP;
    }

    /** What a collection holds; a queue by priority in the order in which it gives its items. */
    static Object[] itemsOf(Collection<?> x) {
        if (!(x instanceof PriorityQueue)) return x.toArray();
        List<Object> items = new ArrayList<>();
        for (PriorityQueue<?> rest = new PriorityQueue<>((PriorityQueue<?>) x); !rest.isEmpty();) items.add(rest.poll());
        return items.toArray();
    }

    private static Comparator<?> orderOf(Object x) {
        return x instanceof SortedSet ? ((SortedSet<?>) x).comparator() : x instanceof SortedMap ? ((SortedMap<?, ?>) x).comparator()
            : x instanceof PriorityQueue ? ((PriorityQueue<?>) x).comparator() : null;
    }

    static void putKind(Exchange to, Object x) throws IOException {
        to.out.writeByte(kindOf(x));
        if (x instanceof EnumMap || x instanceof EnumSet) {
            to.put(enumOf(x));
            return;
        }
        Comparator<?> order = orderOf(x);
        int known = order == null ? 0 : order.equals(Collections.reverseOrder()) ? 1 : order == String.CASE_INSENSITIVE_ORDER ? 2 : 3;
        to.out.writeByte(known);
        if (known == 3) to.put(Mirrors.ofTests ? order : null);
    }

    private static Class<?> enumOf(Object x) {
        try {
            java.lang.reflect.Field of = (x instanceof EnumMap ? EnumMap.class : EnumSet.class).getDeclaredField(x instanceof EnumMap ? "keyType" : "elementType");
            of.setAccessible(true);
            return (Class<?>) of.get(x);
        } catch (ReflectiveOperationException | RuntimeException error) {
            throw new IllegalArgumentException("a " + nameOf(x) + " is no plain data");
        }
    }

    /**
     * The order in which a candidate's container came: its own comparator would be asked about the tests' data.
     * What was not in it comes after everything that was, and equals none of it.
     */
    private static Comparator<Object> arrival(Map<Object, Integer> places) {
        return (a, b) -> a == b || a != null && a.equals(b) ? 0
            : Integer.compare(places.getOrDefault(a, places.size()), places.getOrDefault(b, places.size() + 1));
    }

    private static Object made(Class<?> kind) throws IOException {
        try {
            return kind.getConstructor().newInstance();
        } catch (ReflectiveOperationException error) {
            throw new EOFException(error.toString());
        }
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    static Object getContainer(Exchange from) throws IOException {
        int kind = from.in.readByte();
        if (kind == ENUM_MAP || kind == ENUM_SET) {
            Class type = (Class) from.get();
            Object made = from.noted(kind == ENUM_MAP ? new EnumMap(type) : EnumSet.noneOf(type));
            fill(from, made, new HashMap<>());
            return made;
        }
        int order = from.in.readByte();
        Comparator<Object> theirs = order == 3 ? (Comparator<Object>) from.get() : null;
        if (kind == FIXED) {
            Object[] items = new Object[from.in.readInt()];
            List<Object> made = from.noted(Arrays.asList(items));
            for (int n = 0; n < items.length; n++) items[n] = from.get();
            return made;
        }
        Map<Object, Integer> places = new HashMap<>();
        Comparator known = order == 1 ? Collections.reverseOrder() : order == 2 ? String.CASE_INSENSITIVE_ORDER
            : order == 3 ? theirs != null && !Mirrors.ofTests ? theirs : arrival(places) : null;
        Object made = kind == LIST ? new ArrayList<>() : kind == SET ? new LinkedHashSet<>() : kind == MAP ? new LinkedHashMap<>()
            : known != null && KINDS.get(kind) == TreeSet.class ? new TreeSet<>(known)
            : known != null && KINDS.get(kind) == TreeMap.class ? new TreeMap<>(known)
            : known != null && KINDS.get(kind) == PriorityQueue.class ? new PriorityQueue<>(known) : made(KINDS.get(kind));
        from.noted(kind == LIST ? Collections.unmodifiableList((List<?>) made) : kind == SET ? Collections.unmodifiableSet((Set<?>) made)
            : kind == MAP ? Collections.unmodifiableMap((Map<?, ?>) made) : made);
        Object shown = from.containers.get(from.containers.size() - 1);
        fill(from, made, places);
        return shown;
    }

    @SuppressWarnings("unchecked")
    private static void fill(Exchange from, Object made, Map<Object, Integer> places) throws IOException {
        int size = from.in.readInt();
        for (int n = 0; n < size; n++) {
            Object key = from.get();
            places.putIfAbsent(key, n);
            if (made instanceof Map) ((Map<Object, Object>) made).put(key, from.get());
            else ((Collection<Object>) made).add(key);
        }
    }
}
