// Calls between the tests' process and the candidate's, over descriptor 4: tagged values, only plain data.
// Java's own serialization is not used: it would load whatever classes the other side names.
// Within one call every container has a number, in the order in which both sides meet it first: so one that is passed
// twice, or passed and returned, is one object on the other side too.

import java.io.*;
import java.lang.reflect.*;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.*;

public final class Wire {
    static final int GONE = 90, MEMORY = 92;
    private static final DataInputStream in;
    private static final OutputStream peer;
    private static final ByteArrayOutputStream buffer = new ByteArrayOutputStream();
    private static final DataOutputStream out = new DataOutputStream(buffer);
    private static final IdentityHashMap<Object, Integer> numbers = new IdentityHashMap<>();
    private static final List<Object> containers = new ArrayList<>();

    static {
        try {
            Constructor<FileDescriptor> make = FileDescriptor.class.getDeclaredConstructor(int.class);
            make.setAccessible(true);
            FileDescriptor descriptor = make.newInstance(4);
            in = new DataInputStream(new BufferedInputStream(new FileInputStream(descriptor)));
            peer = new FileOutputStream(descriptor);
        } catch (ReflectiveOperationException error) {
            throw new ExceptionInInitializerError(error);
        }
    }

    private static void begin() {
        numbers.clear();
        containers.clear();
        buffer.reset();
    }

    private static void send() throws IOException {
        out.flush();
        buffer.writeTo(peer);
        buffer.reset();
    }

    private static void putText(String text) throws IOException {
        out.writeInt(text.length());
        out.writeChars(text);
    }

    private static String getText() throws IOException {
        int size = in.readInt();
        byte[] bytes = in.readNBytes(Math.multiplyExact(2, size));
        char[] text = new char[bytes.length / 2];
        for (int n = 0; n < text.length; n++) text[n] = (char) (bytes[2 * n] << 8 | bytes[2 * n + 1] & 255);
        return new String(text).intern();
    }

    private static <T> T note(T container) {
        numbers.put(container, containers.size());
        containers.add(container);
        return container;
    }

    private static void put(Object x) throws IOException {
        if (x == null) out.writeByte('n');
        else if (x instanceof Boolean) { out.writeByte('z'); out.writeBoolean((Boolean) x); }
        else if (x instanceof Character) { out.writeByte('c'); out.writeChar((Character) x); }
        else if (x instanceof Byte) { out.writeByte('b'); out.writeByte((Byte) x); }
        else if (x instanceof Short) { out.writeByte('s'); out.writeShort((Short) x); }
        else if (x instanceof Integer) { out.writeByte('i'); out.writeInt((Integer) x); }
        else if (x instanceof Long) { out.writeByte('l'); out.writeLong((Long) x); }
        else if (x instanceof Float) { out.writeByte('f'); out.writeFloat((Float) x); }
        else if (x instanceof Double) { out.writeByte('d'); out.writeDouble((Double) x); }
        else if (x instanceof String) { out.writeByte('S'); putText((String) x); }
        else if (x instanceof BigInteger) { out.writeByte('B'); putText(x.toString()); }
        else if (x instanceof BigDecimal) { out.writeByte('D'); putText(x.toString()); }
        else if (x instanceof CharSequence) { out.writeByte(x instanceof StringBuilder ? 'T' : 'S'); putText(x.toString()); }
        else if (x instanceof Optional) { out.writeByte('O'); put(((Optional<?>) x).orElse(null)); }
        else if (x instanceof Map.Entry) {
            out.writeByte('e');
            put(((Map.Entry<?, ?>) x).getKey());
            put(((Map.Entry<?, ?>) x).getValue());
        } else if (numbers.containsKey(x)) { out.writeByte('R'); out.writeInt(numbers.get(x)); }
        else if (x instanceof Collection || x instanceof Map) {
            out.writeByte('C');
            out.writeByte(kindOf(x));
            putContents(note(x));
        } else if (x.getClass().isArray()) {
            out.writeByte('A');
            putText(x.getClass().getComponentType().getName());
            putContents(note(x));
        } else throw new IllegalArgumentException("a " + x.getClass().getName() + " is no plain data");
    }

    private static final List<Class<?>> KINDS = List.of(ArrayList.class, LinkedList.class, Vector.class, Stack.class,
        ArrayDeque.class, PriorityQueue.class, HashSet.class, LinkedHashSet.class, TreeSet.class, HashMap.class,
        LinkedHashMap.class, TreeMap.class);
    private static final int FIXED = 100, LIST = 101, SET = 102, MAP = 103;

    /** Which kind of container the other side is to make: a class of KINDS, a list of fixed size, or a read-only one. */
    private static int kindOf(Object x) {
        int known = KINDS.indexOf(x.getClass());
        if (known >= 0) return known;
        String name = x.getClass().getName();
        if (name.equals("java.util.Arrays$ArrayList")) return FIXED;
        boolean readOnly = name.startsWith("java.util.ImmutableCollections") || name.startsWith("java.util.Collections$");
        if (x instanceof List) return readOnly ? LIST : 0;
        if (x instanceof Set) return readOnly ? SET : KINDS.indexOf(x instanceof SortedSet ? TreeSet.class : LinkedHashSet.class);
        if (x instanceof Map) return readOnly ? MAP : KINDS.indexOf(x instanceof SortedMap ? TreeMap.class : LinkedHashMap.class);
        return 0;
    }

    private static boolean mayChange(Object container) {
        return !(container instanceof Collection || container instanceof Map) || kindOf(container) < LIST;
    }

    private static void putContents(Object x) throws IOException {
        if (x instanceof Map) {
            Object[] entries = ((Map<?, ?>) x).entrySet().toArray();
            out.writeInt(entries.length);
            for (Object entry : entries) { put(((Map.Entry<?, ?>) entry).getKey()); put(((Map.Entry<?, ?>) entry).getValue()); }
            return;
        }
        Object items = x instanceof Collection ? ((Collection<?>) x).toArray() : x;
        out.writeInt(Array.getLength(items));
        for (int n = 0; n < Array.getLength(items); n++) put(Array.get(items, n));
    }

    private static Object get() throws IOException {
        byte tag = in.readByte();
        switch (tag) {
            case 'n': return null;
            case 'z': return in.readBoolean();
            case 'c': return in.readChar();
            case 'b': return in.readByte();
            case 's': return in.readShort();
            case 'i': return in.readInt();
            case 'l': return in.readLong();
            case 'f': return in.readFloat();
            case 'd': return in.readDouble();
            case 'S': return getText();
            case 'T': return new StringBuilder(getText());
            case 'B': return new BigInteger(getText());
            case 'D': return new BigDecimal(getText());
            case 'O': return Optional.ofNullable(get());
            case 'e': return new AbstractMap.SimpleEntry<>(get(), get());
            case 'R': return containers.get(in.readInt());
            case 'C': return getContainer(in.readByte());
            case 'A': {
                Class<?> item = component(getText());
                int size = in.readInt();
                Object made = note(Array.newInstance(item, size));
                for (int n = 0; n < size; n++) Array.set(made, n, get());
                return made;
            }
            default: throw new EOFException("unknown tag " + tag);
        }
    }

    @SuppressWarnings("unchecked")
    private static Object getContainer(int kind) throws IOException {
        int size = in.readInt();
        if (kind == FIXED) {
            Object[] items = new Object[size];
            List<Object> made = note(Arrays.asList(items));
            for (int n = 0; n < size; n++) items[n] = get();
            return made;
        }
        Object made = kind == LIST ? new ArrayList<>() : kind == SET ? new LinkedHashSet<>() : kind == MAP ? new LinkedHashMap<>() : null;
        try {
            if (made == null) made = KINDS.get(kind).getConstructor().newInstance();
        } catch (ReflectiveOperationException error) {
            throw new EOFException(error.toString());
        }
        Object shown = kind == LIST ? Collections.unmodifiableList((List<?>) made) : kind == SET ? Collections.unmodifiableSet((Set<?>) made)
            : kind == MAP ? Collections.unmodifiableMap((Map<?, ?>) made) : made;
        note(shown);
        if (made instanceof Map) for (int n = 0; n < size; n++) { Object key = get(); ((Map<Object, Object>) made).put(key, get()); }
        else for (int n = 0; n < size; n++) ((Collection<Object>) made).add(get());
        return shown;
    }

    private static Class<?> component(String name) throws IOException {
        String item = name.replaceFirst("^\\[*", "");
        boolean known = item.length() == 1 || item.matches("int|long|double|float|boolean|char|byte|short")
            || item.replaceFirst("^L", "").matches("java\\.(lang|util|math)\\.\\w+;?");
        try {
            if (known && item.length() != name.length()) return Class.forName(name, false, null);
            for (Class<?> primitive : new Class<?>[] {int.class, long.class, double.class, float.class, boolean.class,
                    char.class, byte.class, short.class}) if (primitive.getName().equals(name)) return primitive;
            if (known) return Class.forName(name, false, null);
        } catch (ClassNotFoundException error) {
            known = false;
        }
        throw new EOFException("an array of " + name + " is no plain data");
    }

    /** The tests' side: call a method over there; what it changed in its arguments is changed here too. */
    @SuppressWarnings("unchecked")
    public static <T> T call(String signature, Object... arguments) {
        try {
            begin();
            putText(signature);
            out.writeInt(arguments.length);
            for (Object argument : arguments) put(argument);
            send();
            int status = in.readByte(), given = containers.size();
            if (status == 2) System.exit(MEMORY);
            for (int n = 0; n < given; n++) if (mayChange(containers.get(n))) change(containers.get(n));
            if (status != 0) {
                String name = getText();
                Object message = get();
                throw Wire.<RuntimeException>unchecked(failure(name, message == null ? null : message.toString()));
            }
            return (T) get();
        } catch (IOException error) {
            System.exit(GONE);
            return null;
        }
    }

    @SuppressWarnings("unchecked")
    private static <E extends Throwable> E unchecked(Throwable error) throws E {
        throw (E) error;
    }

    /** An exception of Java's own under its name, any other as a RuntimeException. */
    private static Throwable failure(String name, String message) {
        if (name.matches("java\\.(lang|util|io|math)\\.\\w+"))
            try {
                Class<?> type = Class.forName(name, false, null);
                if (Throwable.class.isAssignableFrom(type)) try {
                    return (Throwable) type.getConstructor(String.class).newInstance(message);
                } catch (NoSuchMethodException error) {
                    return (Throwable) type.getConstructor().newInstance();
                }
            } catch (ReflectiveOperationException error) { /* it has no such constructor */ }
        return new RuntimeException("the candidate threw " + name + ": " + message);
    }

    /** Read what a container holds over there; write element by element what differs: its size may be fixed. */
    @SuppressWarnings("unchecked")
    private static void change(Object old) throws IOException {
        int size = in.readInt();
        List<Object> made = new ArrayList<>();
        for (int n = 0; n < (old instanceof Map ? 2 : 1) * size; n++) made.add(get());
        if (old instanceof Map) {
            List<Object> before = new ArrayList<>();
            ((Map<?, ?>) old).forEach((key, value) -> { before.add(key); before.add(value); });
            if (same(before, made)) return;
            ((Map<Object, Object>) old).clear();
            for (int n = 0; n < size; n++) ((Map<Object, Object>) old).put(made.get(2 * n), made.get(2 * n + 1));
        } else if (old instanceof Collection) {
            if (same(Arrays.asList(((Collection<?>) old).toArray()), made)) return;
            if (old instanceof List && ((List<?>) old).size() == size) {
                ListIterator<Object> places = ((List<Object>) old).listIterator();
                for (Object item : made) { places.next(); places.set(item); }
            } else {
                ((Collection<Object>) old).clear();
                ((Collection<Object>) old).addAll(made);
            }
        } else for (int n = 0; n < size; n++) Array.set(old, n, made.get(n));
    }

    /** Whether two lists hold the same: containers by identity, since what is in them is compared by itself. */
    private static boolean same(List<?> before, List<?> after) {
        if (before.size() != after.size()) return false;
        Iterator<?> left = before.iterator(), right = after.iterator();
        while (left.hasNext()) {
            Object a = left.next(), b = right.next();
            if (a == b) continue;
            if (a == null || b == null || numbers.containsKey(a) || numbers.containsKey(b)) return false;
            if (a.getClass() != b.getClass() || !a.equals(b)) return false;
        }
        return true;
    }

    /** The candidate's side: answer until the tests' process ends. */
    public static void main(String[] arguments) throws Exception {
        Class<?> type = Class.forName("Solution");
        Constructor<?> make = type.getDeclaredConstructor();
        make.setAccessible(true);
        Object solution = make.newInstance();
        while (true) {
            try {
                answer(type, solution);
            } catch (EOFException error) {
                Runtime.getRuntime().halt(GONE);
            }
        }
    }

    private static void answer(Class<?> type, Object solution) throws IOException {
        begin();
        String signature = getText();
        Object[] given = new Object[in.readInt()];
        for (int n = 0; n < given.length; n++) given[n] = get();
        int passed = containers.size();
        Object result = null;
        Throwable failure = null;
        try {
            result = find(type, signature).invoke(solution, given);
        } catch (InvocationTargetException error) {
            failure = error.getCause();
        } catch (ReflectiveOperationException | IllegalArgumentException error) {
            failure = error;
        }
        try {
            putAnswer(passed, result, failure);
        } catch (IllegalArgumentException error) { // something that is no plain data
            while (containers.size() > passed) numbers.remove(containers.remove(containers.size() - 1));
            buffer.reset();
            putAnswer(passed, null, error);
        }
        send();
    }

    private static void putAnswer(int passed, Object result, Throwable failure) throws IOException {
        out.writeByte(failure == null ? 0 : failure instanceof OutOfMemoryError ? 2 : 1);
        for (int n = 0; n < passed; n++) if (mayChange(containers.get(n))) putContents(containers.get(n));
        if (failure == null) {
            put(result);
        } else {
            putText(failure.getClass().getName());
            put(failure.getMessage());
        }
    }

    /** The method of that name and those erased types, here or in a class that this one extends. */
    private static Method find(Class<?> type, String signature) throws NoSuchMethodException {
        for (Class<?> at = type; at != null; at = at.getSuperclass())
            for (Method method : at.getDeclaredMethods()) {
                StringJoiner types = new StringJoiner(",", method.getName() + "(", ")");
                for (Class<?> parameter : method.getParameterTypes()) types.add(parameter.getCanonicalName());
                if (!method.isBridge() && types.toString().equals(signature)) {
                    method.setAccessible(true);
                    return method;
                }
            }
        throw new NoSuchMethodException(signature);
    }
}
