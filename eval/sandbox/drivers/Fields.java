// What objects hold, whatever their own methods say of it.

import java.lang.reflect.*;
import java.util.*;

final class Fields {
    private Fields() { }

    static Object[] components(Object record) {
        RecordComponent[] parts = record.getClass().getRecordComponents();
        Object[] values = new Object[parts.length];
        for (int n = 0; n < parts.length; n++) try {
            Field field = record.getClass().getDeclaredField(parts[n].getName());
            field.setAccessible(true);
            values[n] = field.get(record);
        } catch (ReflectiveOperationException error) {
            throw new IllegalArgumentException(error);
        }
        return values;
    }

    /** Whether two objects hold the same, field by field: an `equals` that says more than that is not believed. */
    static boolean same(Object a, Object b) {
        return same(a, b, new HashSet<>());
    }

    private static boolean same(Object a, Object b, Set<List<Integer>> seen) {
        if (a == b) return true;
        if (a == null || b == null || a.getClass() != b.getClass() || a instanceof Enum || a instanceof Proxy) return false;
        if (!seen.add(List.of(System.identityHashCode(a), System.identityHashCode(b)))) return true;
        if (a instanceof List || a.getClass().isArray()) {
            Object left = a instanceof List ? ((List<?>) a).toArray() : a, right = b instanceof List ? ((List<?>) b).toArray() : b;
            int size = Array.getLength(left);
            if (size != Array.getLength(right)) return false;
            for (int n = 0; n < size; n++) if (!same(Array.get(left, n), Array.get(right, n), seen)) return false;
            return true;
        }
        if (a.getClass().getName().startsWith("java.")) return a.equals(b);
        for (Class<?> at = a.getClass(); at != null && at.getClassLoader() != null; at = at.getSuperclass())
            for (Field field : at.getDeclaredFields()) {
                if (Modifier.isStatic(field.getModifiers()) || field.isSynthetic()) continue;
                try {
                    field.setAccessible(true);
                    if (!same(field.get(a), field.get(b), seen)) return false;
                } catch (IllegalAccessException | RuntimeException error) {
                    return false;
                }
            }
        return true;
    }
}
