// The values of one call: what is asked and what is answered, as tagged plain data.
// Java's own serialization is not used: it would load whatever classes the other side names.
// Within one exchange every container has a number, in the order in which both sides meet it first: so one that is
// passed twice, or passed and returned, is one object on the other side too.

import java.io.*;
import java.lang.reflect.Array;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.*;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.stream.*;

final class Exchange {
    final ByteArrayOutputStream buffer = new ByteArrayOutputStream();
    final DataOutputStream out = new DataOutputStream(buffer);
    DataInputStream in;
    private final IdentityHashMap<Object, Integer> numbers = new IdentityHashMap<>();
    final List<Object> containers = new ArrayList<>();

    Exchange(DataInputStream in) {
        this.in = in;
    }

    void putText(String text) throws IOException {
        out.writeInt(text.length());
        out.writeChars(text);
    }

    String getText() throws IOException {
        int size = in.readInt();
        byte[] bytes = in.readNBytes(Math.multiplyExact(2, size));
        char[] text = new char[bytes.length / 2];
        for (int n = 0; n < text.length; n++) text[n] = (char) (bytes[2 * n] << 8 | bytes[2 * n + 1] & 255);
        return new String(text).intern();
    }

    private <T> T note(T container) {
        numbers.put(container, containers.size());
        containers.add(container);
        return container;
    }

    boolean has(Object x) {
        return numbers.containsKey(x);
    }

    /** Forget what an answer met that could not be written to its end. */
    void forget(int known) {
        while (containers.size() > known) numbers.remove(containers.remove(containers.size() - 1));
        buffer.reset();
    }

    void put(Object x) throws IOException {
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
        else if (has(x)) { out.writeByte('R'); out.writeInt(numbers.get(x)); }
        else if (Mirrors.isTheirs(x)) { out.writeByte('m'); out.writeInt(Mirrors.theirs(x)); putContents(note(x)); }
        else if (Library.isValue(x)) { out.writeByte('v'); putText(Library.nameOf(x)); putText(Library.textOf(x)); }
        else if (x instanceof Enum && Mirrors.isKnown(((Enum<?>) x).getDeclaringClass())) {
            out.writeByte('E');
            putText(((Enum<?>) x).getDeclaringClass().getName());
            putText(((Enum<?>) x).name());
        } else if (x instanceof Class && Mirrors.isKnown((Class<?>) x)) { out.writeByte('K'); putText(((Class<?>) x).getName()); }
        else if (x instanceof Record && Mirrors.isKnown(x.getClass())) {
            out.writeByte('r');
            putText(x.getClass().getName());
            putAll(Mirrors.components(x));
        } else putObject(x);
    }

    private void putObject(Object x) throws IOException {
        if (x instanceof Optional) { out.writeByte('O'); put(((Optional<?>) x).orElse(null)); }
        else if (x instanceof BaseStream) { out.writeByte('Y'); out.writeByte(Library.kindOf((BaseStream<?, ?>) x)); put(((BaseStream<?, ?>) x).iterator()); }
        else if (x instanceof Future) { out.writeByte('F'); putEnd((Future<?>) x); }
        else if (x instanceof Map.Entry && !Mirrors.hasStandIn(x.getClass())) {
            out.writeByte('e');
            put(((Map.Entry<?, ?>) x).getKey());
            put(((Map.Entry<?, ?>) x).getValue());
        } else if (x instanceof Collection || x instanceof Map) {
            out.writeByte('C');
            Library.putKind(this, x);
            putContents(note(x));
        } else if (x.getClass().isArray()) {
            out.writeByte('A');
            putText(x.getClass().getComponentType().getName());
            putContents(note(x));
        } else if (Library.isCell(x)) { out.writeByte('T'); putText(Library.nameOf(x)); putContents(note(x)); }
        else if (x instanceof CharSequence) { out.writeByte('S'); putText(x.toString()); }
        else if (x instanceof Throwable && !Mirrors.hasStandIn(x.getClass())) putThrowable((Throwable) x);
        else {
            out.writeByte('M');
            Mirrors.describe(this, x);
            putContents(note(x));
        }
    }

    private void putThrowable(Throwable x) throws IOException {
        out.writeByte('X');
        out.writeInt(Mirrors.lend(x));
        putText(Mirrors.chain(x.getClass()));
        put(x.getMessage());
        put(x.getCause());
        note(x);
    }

    private void putEnd(Future<?> x) throws IOException {
        Object value = null;
        Throwable failure = null;
        try {
            value = x.get();
        } catch (InterruptedException | java.util.concurrent.CancellationException error) {
            failure = error;
        } catch (java.util.concurrent.ExecutionException error) {
            failure = error.getCause();
        }
        out.writeBoolean(failure == null);
        put(failure == null ? value : failure);
    }

    void putAll(Object[] items) throws IOException {
        out.writeInt(items.length);
        for (Object item : items) put(item);
    }

    Object[] getAll() throws IOException {
        Object[] items = new Object[in.readInt()];
        for (int n = 0; n < items.length; n++) items[n] = get();
        return items;
    }

    /** Whether a call may change it, so that the answer tells what it holds. */
    static boolean mayChange(Object x) {
        return !(x instanceof Throwable && !Mirrors.hasStandIn(x.getClass())) && Library.mayChange(x);
    }

    void putContents(Object x) throws IOException {
        if (x instanceof Map) {
            Object[] entries = ((Map<?, ?>) x).entrySet().toArray();
            out.writeInt(entries.length);
            for (Object entry : entries) { put(((Map.Entry<?, ?>) entry).getKey()); put(((Map.Entry<?, ?>) entry).getValue()); }
        } else if (x instanceof Collection || x.getClass().isArray()) {
            Object items = x instanceof Collection ? Library.itemsOf((Collection<?>) x) : x;
            out.writeInt(Array.getLength(items));
            for (int n = 0; n < Array.getLength(items); n++) put(Array.get(items, n));
        } else if (Library.isCell(x)) put(Library.valueOf(x));
        else Mirrors.putFields(this, x);
    }

    Object get() throws IOException {
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
            case 'B': return new BigInteger(getText());
            case 'D': return new BigDecimal(getText());
            case 'v': return Library.parsed(getText(), getText());
            case 'O': return Optional.ofNullable(get());
            case 'e': return new AbstractMap.SimpleEntry<>(get(), get());
            case 'R': return containers.get(in.readInt());
            case 'C': return Library.getContainer(this);
            case 'E': return Mirrors.constant(getText(), getText());
            case 'K': return Mirrors.type(getText());
            case 'r': return Mirrors.record(getText(), getAll());
            case 'Y': return Library.stream(in.readByte(), get());
            case 'F': return in.readBoolean() ? CompletableFuture.completedFuture(get()) : CompletableFuture.failedFuture((Throwable) get());
            case 'T': {
                Object made = note(Library.cell(getText()));
                Library.write(made, get());
                return made;
            }
            case 'A': {
                Class<?> item = Mirrors.type(getText());
                int size = in.readInt();
                Object made = note(Array.newInstance(item, size));
                for (int n = 0; n < size; n++) Array.set(made, n, get());
                return made;
            }
            case 'X': {
                int id = in.readInt();
                Throwable made = note(Mirrors.throwable(getText(), this));
                Mirrors.borrow(made, id);
                return made;
            }
            case 'm': return getMirror(Mirrors.ours(in.readInt()));
            case 'M': return getMirror(Mirrors.mirror(this));
            default: throw new EOFException("unknown tag " + tag);
        }
    }

    private Object getMirror(Object made) throws IOException {
        note(made);
        if (Library.isData(made)) change(made);
        else Mirrors.getFields(this, made);
        return made;
    }

    <T> T noted(T container) {
        return note(container);
    }

    /** Read what a container holds over there; write element by element what differs: its size may be fixed. */
    @SuppressWarnings("unchecked")
    void change(Object old) throws IOException {
        if (Library.isCell(old)) { Library.write(old, get()); return; }
        if (!Library.isData(old)) { Mirrors.getFields(this, old); return; }
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
            if (same(Arrays.asList(Library.itemsOf((Collection<?>) old)), made)) return;
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
    private boolean same(List<?> before, List<?> after) {
        if (before.size() != after.size()) return false;
        Iterator<?> left = before.iterator(), right = after.iterator();
        while (left.hasNext()) {
            Object a = left.next(), b = right.next();
            if (a == b) continue;
            if (a == null || b == null || has(a) || has(b)) return false;
            if (a.getClass() != b.getClass() || !a.equals(b)) return false;
        }
        return true;
    }
}
