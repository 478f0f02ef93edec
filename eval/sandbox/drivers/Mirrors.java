// What is no data stays in its process; the other side holds a mirror of it, whose methods are calls.
// The tests' mirrors are of stand-in classes that StandIns.java wrote, or proxies of their interfaces and of a few of
// the library's. What a candidate returned is never asked how it compares with the tests' own data.

import java.io.*;
import java.lang.reflect.*;
import java.util.*;
import java.util.concurrent.Callable;

final class Mirrors {
    static boolean ofTests = true;
    /** Types that both sides know, with the fields that the tests name. */
    private static final Map<String, Set<String>> known = new HashMap<>();
    private static final List<Object> lent = new ArrayList<>();
    private static final Map<Integer, Object> made = new HashMap<>();
    private static final IdentityHashMap<Object, Integer> lentAt = new IdentityHashMap<>(), borrowed = new IdentityHashMap<>();
    private static final Map<Integer, Object> mirrors = new HashMap<>();
    private static final Set<Object> described = Collections.newSetFromMap(new IdentityHashMap<>());
    private static final List<Object> renewed = new ArrayList<>();
    private static final int MOST_RENEWED = 1000;
    private static final Map<String, Executable> methods = new HashMap<>();
    private static final Set<Class<?>> LENDABLE = Set.of(Comparator.class, Iterator.class, ListIterator.class, Iterable.class,
        PrimitiveIterator.class, PrimitiveIterator.OfInt.class, PrimitiveIterator.OfLong.class, PrimitiveIterator.OfDouble.class,
        Runnable.class, Callable.class, Comparable.class, AutoCloseable.class, Closeable.class);
    private static int constructed = 0;
    private static String whole = "";

    static void know(String table) {
        for (String line : table.split("\n")) {
            String[] words = line.trim().split(" ");
            if (!words[0].isEmpty()) known.put(words[0], new LinkedHashSet<>(Arrays.asList(words).subList(1, words.length)));
        }
    }

    static boolean isKnown(Class<?> type) {
        return type.isPrimitive() || known.containsKey(type.getName()) || type.isArray() && isKnown(type.getComponentType())
            || type.getName().matches("java\\.(lang|util|math|time|text|io)(\\.[\\w$]+)+");
    }

    static Class<?> type(String name) throws IOException {
        for (Class<?> primitive : new Class<?>[] {int.class, long.class, double.class, float.class, boolean.class, char.class,
                byte.class, short.class, void.class}) if (primitive.getName().equals(name)) return primitive;
        try {
            Class<?> type = Class.forName(name, false, Mirrors.class.getClassLoader());
            if (isKnown(type)) return type;
        } catch (ClassNotFoundException error) { /* is told below */ }
        throw new EOFException(name + " is no type that crosses");
    }

    /** The class itself and those that it extends, as far as they are the candidate's or the library's. */
    static String chain(Class<?> type) {
        StringJoiner names = new StringJoiner(",");
        for (Class<?> at = type; at != null && at != Object.class; at = at.getSuperclass()) names.add(at.getName());
        return names.toString();
    }

    static boolean hasStandIn(Class<?> type) {
        for (Class<?> at = type; at != null; at = at.getSuperclass()) if (known.containsKey(at.getName())) return true;
        return false;
    }

    static boolean isTheirs(Object x) {
        return borrowed.containsKey(x);
    }

    static int theirs(Object x) {
        return borrowed.get(x);
    }

    static void borrow(Object x, int id) {
        borrowed.put(x, id);
        mirrors.put(id, x);
    }

    static Object ours(int id) throws IOException {
        Object x = id < 0 ? made.get(id) : lent.get(id);
        if (x == null) throw new EOFException("no such object");
        return x;
    }

    static int lend(Object x) {
        if (!lentAt.containsKey(x)) {
            lentAt.put(x, lent.size());
            lent.add(x);
        }
        return lentAt.get(x);
    }

    private static boolean isLendable(Class<?> type) {
        return LENDABLE.contains(type) || type.getName().startsWith("java.util.function.") || known.containsKey(type.getName());
    }

    private static void interfaces(Class<?> type, Set<Class<?>> found) {
        for (Class<?> at = type; at != null; at = at.getSuperclass())
            for (Class<?> each : at.getInterfaces()) {
                if (isLendable(each)) found.add(each);
                interfaces(each, found);
            }
    }

    /** Tell the other side of an object that it is to hold a mirror of. */
    static void describe(Exchange to, Object x) throws IOException {
        Set<Class<?>> found = new LinkedHashSet<>();
        interfaces(x.getClass(), found);
        for (Class<?> at = x.getClass(); found.isEmpty() && at != Object.class && !known.containsKey(at.getName()); at = at.getSuperclass())
            if (at.getName().startsWith("java.") && !ofTests) throw new IllegalArgumentException("a " + x.getClass().getName() + " is no plain data");
        to.out.writeInt(lend(x));
        boolean first = described.add(x);
        to.out.writeBoolean(first);
        if (!first) return;
        if (!ofTests && renewed.size() < MOST_RENEWED && !fields(x.getClass(), false).isEmpty()) renewed.add(x);
        StringJoiner names = new StringJoiner(","), own = new StringJoiner(",");
        for (Class<?> each : found) {
            names.add(each.getName());
            for (Method method : each.getMethods()) if (method.isDefault() && isOverridden(x, method)) own.add(method.getName());
        }
        for (String name : List.of("toString", "hashCode")) if (isOverridden(x, name)) own.add(name);
        if (isOverridden(x, "equals", Object.class)) own.add("equals");
        to.putText(chain(x.getClass()));
        to.putText(names.toString());
        to.putText(own.toString());
    }

    private static boolean isOverridden(Object x, String name, Class<?>... types) {
        try {
            return x.getClass().getMethod(name, types).getDeclaringClass() != Object.class;
        } catch (NoSuchMethodException error) {
            return false;
        }
    }

    private static boolean isOverridden(Object x, Method method) {
        try {
            return !x.getClass().getMethod(method.getName(), method.getParameterTypes()).getDeclaringClass().isInterface();
        } catch (NoSuchMethodException error) {
            return false;
        }
    }

    /** The mirror of an object that the other side tells of. */
    static Object mirror(Exchange from) throws IOException {
        int id = from.in.readInt();
        if (!from.in.readBoolean()) return mirrors.containsKey(id) ? mirrors.get(id) : fail("no such mirror");
        String[] chain = from.getText().split(","), names = from.getText().split(",");
        Set<String> own = new HashSet<>(List.of(from.getText().split(",")));
        Object found = mirrors.get(id);
        for (String name : chain) if (found == null && ofTests && known.containsKey(name)) found = standIn(type(name));
        if (found == null) {
            Set<Class<?>> types = new LinkedHashSet<>();
            for (String name : names) if (!name.isEmpty() && isLendable(type(name))) types.add(type(name));
            found = Proxy.newProxyInstance(Mirrors.class.getClassLoader(), types.toArray(new Class<?>[0]), (proxy, method, given) -> ask(proxy, method, given, own));
        }
        borrow(found, id);
        return found;
    }

    private static Object fail(String why) throws IOException {
        throw new EOFException(why);
    }

    private static Object standIn(Class<?> type) throws IOException {
        try {
            for (Constructor<?> each : type.getDeclaredConstructors()) {
                Class<?>[] types = each.getParameterTypes();
                int at = types.length - 5; // behind the object around it, if it is an inner class
                if (at < 0 || types[at] != Wire.Handle.class) continue;
                each.setAccessible(true);
                return at == 0 ? each.newInstance(null, 0, 0, 0, 0) : each.newInstance(null, null, 0, 0, 0, 0);
            }
        } catch (ReflectiveOperationException error) {
            throw new EOFException(error.toString());
        }
        return null;
    }

    private static Object ask(Object proxy, Method method, Object[] given, Set<String> own) throws Throwable {
        Object[] arguments = given == null ? new Object[0] : given;
        String name = method.getName();
        if (name.equals("equals") && method.getDeclaringClass() == Object.class) return own.contains(name) ? Wire.equal(proxy, arguments[0]) : proxy == arguments[0];
        if (name.equals("hashCode") && !own.contains(name)) return System.identityHashCode(proxy);
        if (method.isDefault() && !own.contains(name)) return InvocationHandler.invokeDefault(proxy, method, arguments);
        if (name.equals("compareTo")) Wire.mustBeTheirs(arguments[0]);
        Object[] all = new Object[arguments.length + 1];
        all[0] = proxy;
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        return Wire.ask(keyOf(method), all);
    }

    private static String keyOf(Executable method) {
        StringJoiner types = new StringJoiner(",", "(", ")");
        for (Class<?> parameter : method.getParameterTypes()) types.add(parameter.getCanonicalName());
        return method.getDeclaringClass().getName() + "#" + (method instanceof Method ? method.getName() : "<init>") + types;
    }

    private static Executable find(String key) throws ReflectiveOperationException {
        Executable found = methods.get(key);
        if (found != null) return found;
        Class<?> owner = Class.forName(key.substring(0, key.indexOf('#')), !ofTests, Mirrors.class.getClassLoader());
        List<Executable> all = new ArrayList<>(List.of(owner.getDeclaredMethods()));
        all.addAll(List.of(owner.getDeclaredConstructors()));
        for (Executable each : all) if (!(each instanceof Method && ((Method) each).isBridge()) && keyOf(each).equals(key)) found = each;
        if (found == null) throw new NoSuchMethodException(key);
        if (owner.getClassLoader() != null) found.setAccessible(true);
        methods.put(key, found);
        return found;
    }

    /** Do what the other side asks: of the tests only methods of lendable interfaces on what they lent. */
    static Object invoke(String what, Object[] given) throws ReflectiveOperationException, IOException {
        if (ofTests) {
            Executable method = find(what);
            boolean free = isLendable(method.getDeclaringClass()) && method.getDeclaringClass().isInterface()
                || method.getDeclaringClass() == Object.class && List.of("toString", "hashCode", "equals").contains(method.getName());
            if (!free || !(method instanceof Method) || !lentAt.containsKey(given[0])) throw new IllegalAccessException(what);
            return ((Method) method).invoke(given[0], Arrays.copyOfRange(given, 1, given.length));
        }
        if (what.startsWith("hello ")) { know(what.substring(6)); return null; }
        if (what.equals("equals")) return given[0].equals(given[1]) && Fields.same(given[0], given[1]);
        if (what.equals("statics")) { renewStatics((Class<?>) given[0]); return null; }
        Executable method = find(what.startsWith("new ") ? what.substring(what.indexOf(' ', 4) + 1) : what);
        if (method instanceof Constructor) {
            Object x = ((Constructor<?>) method).newInstance(given);
            if (!what.startsWith("new ")) return Fields.components(x);
            int id = Integer.parseInt(what.substring(4, what.indexOf(' ', 4)));
            made.put(id, x);
            lentAt.put(x, id);
            described.add(x);
            if (renewed.size() < MOST_RENEWED && !fields(x.getClass(), false).isEmpty()) renewed.add(x);
            return null;
        }
        if (Modifier.isStatic(method.getModifiers())) return ((Method) method).invoke(null, given);
        return ((Method) method).invoke(given[0], Arrays.copyOfRange(given, 1, given.length));
    }

    private static void renewStatics(Class<?> type) {
        if (!fields(type, true).isEmpty()) renewed.add(type);
        if (type.isEnum() && !fields(type, false).isEmpty()) renewed.addAll(List.of(type.getEnumConstants()));
    }

    /** The tests' side: a number for an object that they construct. */
    static int construct(Object x) {
        borrow(x, --constructed);
        return constructed;
    }

    static List<Field> fields(Class<?> type, boolean statics) {
        List<Field> found = new ArrayList<>();
        for (Class<?> at = type; at != null; at = statics ? null : at.getSuperclass())
            if (known.containsKey(at.getName()))
                for (String name : known.get(at.getName())) try {
                    Field field = at.getDeclaredField(name);
                    if (Modifier.isStatic(field.getModifiers()) != statics || Modifier.isPrivate(field.getModifiers())) continue;
                    field.setAccessible(true);
                    found.add(field);
                } catch (NoSuchFieldException error) { /* is another's */ }
        return found;
    }

    /** What the tests may see of an object, class or constant. */
    static void putFields(Exchange to, Object x) throws IOException {
        boolean told = x instanceof Class || ofTests == borrowed.containsKey(x) && !(x instanceof Throwable && !hasStandIn(x.getClass()));
        List<Field> fields = told ? fields(x instanceof Class ? (Class<?>) x : x.getClass(), x instanceof Class) : List.of();
        to.out.writeInt(fields.size());
        for (Field field : fields) try {
            to.putText(field.getName());
            to.put(field.get(x instanceof Class ? null : x));
        } catch (IllegalAccessException error) {
            throw new IllegalArgumentException(error);
        }
    }

    static void getFields(Exchange from, Object x) throws IOException {
        Map<String, Field> fields = new HashMap<>();
        for (Field field : fields(x instanceof Class ? (Class<?>) x : x.getClass(), x instanceof Class)) fields.put(field.getName(), field);
        for (int n = from.in.readInt(); n > 0; n--) {
            Field field = fields.get(from.getText());
            Object value = from.get();
            try {
                if (field != null && (ofTests || !Modifier.isFinal(field.getModifiers()))) field.set(x instanceof Class ? null : x, value);
            } catch (IllegalAccessException error) {
                throw new EOFException(error.toString());
            }
        }
    }

    /** After an answer: what the tests may see of objects that it does not name. */
    static void putRenewed(Exchange to) throws IOException {
        List<Object> rest = new ArrayList<>();
        if (!ofTests) for (Object x : renewed) if (!to.has(x)) rest.add(x);
        to.out.writeInt(rest.size());
        for (Object x : rest) {
            boolean whole = x instanceof Class || x instanceof Enum;
            to.out.writeByte(whole ? 1 : 0);
            if (whole) to.put(x);
            else to.out.writeInt(lentAt.get(x));
            putFields(to, x);
        }
    }

    static void getRenewed(Exchange from) throws IOException {
        for (int n = from.in.readInt(); n > 0; n--) {
            Object x = from.in.readByte() == 1 ? from.get() : mirrors.get(from.in.readInt());
            if (x == null || !ofTests) fail("no such mirror");
            getFields(from, x);
        }
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    static Object constant(String type, String name) throws IOException {
        return Enum.valueOf((Class) type(type), name);
    }

    static Object[] components(Object record) {
        return Fields.components(record);
    }

    static Object record(String name, Object[] parts) throws IOException {
        Class<?> type = type(name);
        List<Class<?>> types = new ArrayList<>();
        for (RecordComponent each : type.getRecordComponents()) types.add(each.getType());
        try {
            Constructor<?> make = type.getDeclaredConstructor(types.toArray(new Class<?>[0]));
            make.setAccessible(true);
            whole = name;
            return make.newInstance(parts);
        } catch (ReflectiveOperationException error) {
            throw new EOFException(error.toString());
        } finally {
            whole = "";
        }
    }

    /** Whether the components of a record are those that its constructor has made already. */
    static boolean isWhole(String name, boolean next) {
        boolean found = whole.equals(name);
        whole = next ? name : "";
        return found;
    }

    /** An exception of the nearest class that both sides have, with its message. */
    static Throwable throwable(String chain, Exchange from) throws IOException {
        Object message = from.get(), cause = from.get();
        String[] names = chain.split(",");
        for (String name : names) try {
            Class<?> type = Class.forName(name, false, null);
            if (!Throwable.class.isAssignableFrom(type) || !isKnown(type)) continue;
            Throwable found = null;
            for (Class<?> kind : new Class<?>[] {String.class, Object.class, null}) try {
                if (found == null) found = (Throwable) (kind == null ? type.getConstructor().newInstance() : type.getConstructor(kind).newInstance(message));
            } catch (NoSuchMethodException | InvocationTargetException error) { /* the next */ }
            if (found == null || found.getMessage() == null && message != null) continue;
            if (cause instanceof Throwable && found.getCause() == null) found.initCause((Throwable) cause);
            return found;
        } catch (ReflectiveOperationException | IllegalStateException error) { /* the class that it extends */ }
        return new RuntimeException("the candidate threw " + names[0] + ": " + message);
    }
}
