// Types that a candidate declares, written anew for the tests' program: the same names, members and supertypes, and in
// place of each body a question to the other process. Records and enums are the language's own.

import com.sun.source.util.JavacTask;
import java.util.*;
import java.util.stream.Collectors;
import javax.lang.model.element.*;
import javax.lang.model.type.*;
import javax.lang.model.util.ElementFilter;
import javax.lang.model.util.Elements;

final class StandIns {
    private static final Set<String> SUPERTYPES = Set.of("java.lang.Object", "java.lang.Record", "java.lang.Enum", "java.lang.Comparable",
        "java.lang.Iterable", "java.lang.Runnable", "java.lang.AutoCloseable", "java.lang.Cloneable", "java.io.Serializable",
        "java.io.Closeable", "java.util.Comparator", "java.util.Iterator", "java.util.ListIterator", "java.util.PrimitiveIterator.OfInt",
        "java.util.PrimitiveIterator.OfLong", "java.util.PrimitiveIterator.OfDouble", "java.util.concurrent.Callable");
    private static final List<String> IMPORTED = List.of("java.lang", "java.util", "java.util.stream", "java.util.function",
        "java.math", "java.security", "java.io", "java.time", "java.util.concurrent");
    /** Methods of these types that take something: an object that only looks like one of them would say yes to all. */
    private static final List<String> DATA = List.of("java.lang.String", "java.util.List", "java.util.Map", "java.util.Set",
        "java.util.Deque", "java.util.Optional", "java.lang.Integer", "java.lang.Double", "java.math.BigInteger");
    private static final Set<String> ITS_OWN = Set.of("equals(java.lang.Object)", "hashCode()", "toString()");

    private final Elements elements;
    private final javax.lang.model.util.Types types;
    private final Set<String> words, taken;
    private final boolean besideTests;
    private final Map<TypeElement, String> refused = new HashMap<>();
    /** The types that are wanted, in the order in which they were found. */
    private final Map<TypeElement, String> wanted = new LinkedHashMap<>();
    /** Of each stand-in its name and those of its fields that the tests name. */
    final StringBuilder table = new StringBuilder();

    /** Words are those of the tests; taken the names that are not the candidate's to give; beside: methods of the tests' are members of Solution. */
    StandIns(JavacTask task, Set<String> words, Set<String> taken, boolean besideTests) {
        this.besideTests = besideTests;
        this.elements = task.getElements();
        this.types = task.getTypes();
        this.words = words;
        this.taken = taken;
    }

    private boolean isMethodOfData(String name) {
        return DATA.stream().flatMap(type -> ElementFilter.methodsIn(elements.getTypeElement(type).getEnclosedElements()).stream())
            .anyMatch(m -> !m.getParameters().isEmpty() && m.getSimpleName().contentEquals(name));
    }

    /** Why a type of the candidate's has no stand-in; null if it has one. */
    private String refusal(TypeElement type) {
        if (refused.containsKey(type)) return refused.get(type);
        refused.put(type, null); // while its supertypes are looked at
        String name = type.getSimpleName().toString(), why = null;
        if (type.getNestingKind().isNested() && type.getNestingKind() != NestingKind.MEMBER || type.getKind() == ElementKind.ANNOTATION_TYPE) why = "is declared inside a method";
        else if (taken.contains(name) || hides(type)) why = "has a name that the tests or the library have";
        List<TypeMirror> above = new ArrayList<>(type.getInterfaces());
        if (type.getSuperclass().getKind() == TypeKind.DECLARED) above.add(type.getSuperclass());
        for (TypeMirror each : above) {
            TypeElement of = (TypeElement) ((DeclaredType) each).asElement();
            String full = of.getQualifiedName().toString();
            if (why == null && !isCrossing(each, 0)) why = "extends " + each;
            if (why == null && full.startsWith("java.") && !SUPERTYPES.contains(full) && !full.startsWith("java.util.function.") && !isThrowableOfLibrary(of)) why = "extends " + full;
        }
        refused.put(type, why);
        return why;
    }

    /** Whether the tests would mean another type by a name of the library's. */
    private boolean hides(TypeElement type) {
        if (type.getNestingKind().isNested() && !besideTests) return false;
        return IMPORTED.stream().map(p -> elements.getTypeElement(p + "." + type.getSimpleName())).anyMatch(t -> t != null && t.getModifiers().contains(Modifier.PUBLIC));
    }

    private boolean isThrowable(TypeElement type) {
        return types.isSubtype(type.asType(), elements.getTypeElement("java.lang.Throwable").asType());
    }

    private boolean isThrowableOfLibrary(TypeElement type) {
        return isThrowable(type) && ElementFilter.constructorsIn(type.getEnclosedElements()).stream().anyMatch(c -> c.getParameters().isEmpty());
    }

    /** Whether values of a type cross: the library's as data, the candidate's as stand-ins. */
    boolean isCrossing(TypeMirror type, int depth) {
        return whyNot(type, depth) == null;
    }

    String whyNot(TypeMirror type, int depth) {
        if (depth > 8) return null; // <T extends Comparable<T>>: its bounds have been seen
        if (type instanceof ArrayType) return whyNot(((ArrayType) type).getComponentType(), depth + 1);
        if (type instanceof WildcardType) {
            WildcardType any = (WildcardType) type;
            TypeMirror bound = any.getExtendsBound() == null ? any.getSuperBound() : any.getExtendsBound();
            return bound == null ? null : whyNot(bound, depth + 1);
        }
        if (type instanceof DeclaredType && type.getKind() == TypeKind.DECLARED) {
            TypeElement of = (TypeElement) ((DeclaredType) type).asElement();
            String why = of.getQualifiedName().toString().startsWith("java.") ? null : refusal(of);
            if (why != null) return of.getQualifiedName() + " " + why;
            return ((DeclaredType) type).getTypeArguments().stream().map(t -> whyNot(t, depth + 1)).filter(Objects::nonNull).findFirst().orElse(null);
        }
        return type.getKind().isPrimitive() || type.getKind() == TypeKind.VOID || type.getKind() == TypeKind.TYPEVAR ? null : type + " is no type";
    }

    String whyNot(ExecutableElement method) {
        List<TypeMirror> all = new ArrayList<>(List.of(method.getReturnType()));
        method.getParameters().forEach(p -> all.add(p.asType()));
        all.addAll(method.getThrownTypes());
        method.getTypeParameters().forEach(t -> all.addAll(t.getBounds()));
        return all.stream().map(t -> whyNot(t, 0)).filter(Objects::nonNull).findFirst().orElse(null);
    }

    /** Note the candidate's types that a type is made of. */
    void want(TypeMirror type, int depth) {
        if (depth > 8) return;
        if (type instanceof ArrayType) want(((ArrayType) type).getComponentType(), depth + 1);
        if (type instanceof WildcardType) {
            WildcardType any = (WildcardType) type;
            if (any.getExtendsBound() != null) want(any.getExtendsBound(), depth + 1);
            if (any.getSuperBound() != null) want(any.getSuperBound(), depth + 1);
        }
        if (!(type instanceof DeclaredType) || type.getKind() != TypeKind.DECLARED) return;
        ((DeclaredType) type).getTypeArguments().forEach(t -> want(t, depth + 1));
        want((TypeElement) ((DeclaredType) type).asElement());
    }

    void want(TypeElement type) {
        if (type.getQualifiedName().toString().startsWith("java.") || isSolution(type) || wanted.containsKey(type) || refusal(type) != null) return;
        wanted.put(type, "");
        if (type.getEnclosingElement() instanceof TypeElement) want((TypeElement) type.getEnclosingElement());
        if (type.getSuperclass().getKind() == TypeKind.DECLARED) want(type.getSuperclass(), 0);
        type.getInterfaces().forEach(t -> want(t, 0));
        wanted.put(type, body(type));
    }

    private static boolean isSolution(TypeElement type) {
        return type.getQualifiedName().contentEquals("Solution");
    }

    void want(ExecutableElement method) {
        want(method.getReturnType(), 0);
        method.getParameters().forEach(p -> want(p.asType(), 0));
        method.getThrownTypes().forEach(t -> want(t, 0));
        method.getTypeParameters().forEach(t -> t.getBounds().forEach(b -> want(b, 0)));
    }

    /** The texts of the types that are wanted and lie directly in one; null: that lie in none. */
    String declared(TypeElement around) {
        return wanted.keySet().stream().filter(t -> around == null ? !(t.getEnclosingElement() instanceof TypeElement) : t.getEnclosingElement().equals(around))
            .map(this::declaration).collect(Collectors.joining("\n"));
    }

    private String declaration(TypeElement type) {
        String kind = type.getKind() == ElementKind.RECORD ? "record" : type.getKind() == ElementKind.ENUM ? "enum" : type.getKind() == ElementKind.INTERFACE ? "interface" : "class";
        boolean isStatic = type.getEnclosingElement() instanceof TypeElement && type.getModifiers().contains(Modifier.STATIC);
        String above = kind.equals("class") && !type.getSuperclass().toString().equals("java.lang.Object") ? " extends " + type.getSuperclass() : "";
        String faces = type.getInterfaces().stream().map(Object::toString).collect(Collectors.joining(", "));
        String parts = kind.equals("record") ? "(" + type.getRecordComponents().stream().map(c -> c.asType() + " " + c.getSimpleName()).collect(Collectors.joining(", ")) + ")" : "";
        return (isStatic ? "static " : "") + kind + " " + type.getSimpleName() + generics(type.getTypeParameters()) + parts + above
            + (faces.isEmpty() ? "" : (kind.equals("interface") ? " extends " : " implements ") + faces) + " {\n" + wanted.get(type) + declared(type) + "\n}\n";
    }

    static String generics(List<? extends TypeParameterElement> of) {
        return of.isEmpty() ? "" : "<" + of.stream().map(t -> t + " extends " + t.getBounds().stream().map(Object::toString)
            .collect(Collectors.joining(" & "))).collect(Collectors.joining(", ")) + "> ";
    }

    private String body(TypeElement type) {
        StringBuilder text = new StringBuilder();
        if (type.getKind() == ElementKind.ENUM) text.append(type.getEnclosedElements().stream().filter(e -> e.getKind() == ElementKind.ENUM_CONSTANT)
            .map(e -> e.getSimpleName().toString()).collect(Collectors.joining(", "))).append(";\n");
        text.append(fields(type));
        if (type.getKind() == ElementKind.CLASS || type.getKind() == ElementKind.RECORD) text.append(constructors(type));
        for (ExecutableElement method : methods(type)) text.append(method(type, method));
        return text.toString();
    }

    /** Its own methods, and those that it leaves to its subclasses. */
    private List<ExecutableElement> methods(TypeElement type) {
        List<ExecutableElement> found = new ArrayList<>();
        for (ExecutableElement method : ElementFilter.methodsIn(elements.getAllMembers(type))) {
            boolean own = method.getEnclosingElement().equals(type);
            boolean left = method.getModifiers().contains(Modifier.ABSTRACT) && type.getKind() != ElementKind.INTERFACE;
            if (method.getModifiers().contains(Modifier.PRIVATE) || !own && !left || elements.getOrigin(method) == Elements.Origin.MANDATED) continue;
            if (type.getKind() == ElementKind.ENUM && (method.toString().equals("values()") || method.toString().startsWith("valueOf(java.lang.String)"))) continue;
            if (whyNot(method) != null || asksAboutData(type, method)) continue;
            want(method);
            found.add(method);
        }
        return found;
    }

    /** Whether a class that the tests do not name would be asked how it compares with their data. */
    private boolean asksAboutData(TypeElement type, ExecutableElement method) {
        String name = method.getSimpleName().toString();
        return !words.contains(type.getSimpleName().toString()) && !ITS_OWN.contains(method.toString()) && !name.equals("compareTo") && !method.getParameters().isEmpty()
            && type.getKind() != ElementKind.INTERFACE && (isMethodOfData(name) || name.matches("(?i).*(equal|compare|match|include|contain|same).*"));
    }

    String fields(TypeElement type) {
        StringBuilder text = new StringBuilder(), names = new StringBuilder();
        boolean asks = false;
        for (VariableElement field : ElementFilter.fieldsIn(type.getEnclosedElements())) {
            boolean isStatic = field.getModifiers().contains(Modifier.STATIC), isConstant = isStatic && field.getConstantValue() != null;
            if (field.getKind() == ElementKind.ENUM_CONSTANT || field.getModifiers().contains(Modifier.PRIVATE)) continue;
            if (!words.contains(field.getSimpleName().toString()) || !isCrossing(field.asType(), 0)) continue;
            if (type.getKind() == ElementKind.INTERFACE && !isConstant) continue;
            want(field.asType(), 0);
            String declared = field.asType() + " " + field.getSimpleName();
            if (isConstant) text.append("public static final ").append(declared).append(" = ").append(elements.getConstantExpression(field.getConstantValue())).append(";\n");
            else {
                text.append(isStatic ? "public static " : "public ").append(declared).append(";\n");
                names.append(" ").append(field.getSimpleName());
                asks |= isStatic || type.getKind() == ElementKind.ENUM;
            }
        }
        if (asks) text.append("static { Wire.statics(").append(type.getQualifiedName()).append(".class); }\n");
        table.append(elements.getBinaryName(type)).append(names).append("\n");
        return text.toString();
    }

    String constructors(TypeElement type) {
        StringBuilder text = new StringBuilder();
        boolean isRecord = type.getKind() == ElementKind.RECORD, isInner = type.getEnclosingElement() instanceof TypeElement && !type.getModifiers().contains(Modifier.STATIC) && !isRecord;
        boolean ofOwn = !isRecord && !type.getSuperclass().toString().startsWith("java.") && !isSolution(type);
        boolean explicit = ElementFilter.constructorsIn(type.getEnclosedElements()).stream().anyMatch(c -> isCanonical(type, c) && elements.getOrigin(c) != Elements.Origin.MANDATED);
        for (ExecutableElement make : ElementFilter.constructorsIn(type.getEnclosedElements())) {
            boolean canonical = isRecord && isCanonical(type, make);
            if (make.getModifiers().contains(Modifier.PRIVATE) || whyNot(make) != null || canonical && !explicit) continue;
            want(make);
            String outer = isInner ? ((TypeElement) type.getEnclosingElement()).getQualifiedName().toString() : null;
            String key = "\"" + elements.getBinaryName(type) + "#<init>(" + (isInner ? outer + (make.getParameters().isEmpty() ? "" : ",") : "") + erased(make) + ")\"";
            String given = (isInner ? ", " + outer + ".this" : "") + given(make, canonical);
            text.append("public ").append(generics(make.getTypeParameters())).append(type.getSimpleName()).append("(").append(parameters(make, canonical)).append(")").append(thrown(make)).append(" { ");
            if (canonical) {
                text.append("Object[] v = Wire.made(\"").append(elements.getBinaryName(type)).append("\", ").append(key).append(given).append("); ");
                for (int n = 0; n < make.getParameters().size(); n++) text.append("this.").append(make.getParameters().get(n).getSimpleName()).append(" = (").append(make.getParameters().get(n).asType()).append(") v[").append(n).append("]; ");
            } else if (isRecord) {
                StringJoiner parts = new StringJoiner(", ");
                int place = 0;
                for (RecordComponentElement part : type.getRecordComponents()) {
                    String first = "first(\"" + (explicit ? elements.getBinaryName(type) : "") + "\", " + key + given + ")";
                    parts.add("(" + part.asType() + ") Wire." + (place == 0 ? first : "next(" + place + ")"));
                    place++;
                }
                text.append("this(").append(parts).append("); ");
            } else text.append(ofOwn ? "super((Wire.Handle) null, 0, 0, 0, 0); " : "").append("Wire.construct(this, ").append(key).append(given).append("); ");
            text.append("}\n");
        }
        if (!isRecord) text.append(type.getSimpleName()).append("(Wire.Handle h, int a, int b, int c, int d) { ").append(ofOwn ? "super(h, a, b, c, d); " : "").append("}\n");
        if (!isRecord && isThrowable(type)) text.append(overridden(type, "getMessage") ? "" : "public String getMessage() { return Wire.call(\"java.lang.Throwable#getMessage()\", this); }\n")
            .append(overridden(type, "getCause") ? "" : "public Throwable getCause() { return Wire.call(\"java.lang.Throwable#getCause()\", this); }\n");
        return text.toString();
    }

    private boolean overridden(TypeElement type, String name) {
        return ElementFilter.methodsIn(type.getEnclosedElements()).stream().anyMatch(m -> m.getSimpleName().contentEquals(name));
    }

    private boolean isCanonical(TypeElement type, ExecutableElement make) {
        List<TypeMirror> parts = type.getRecordComponents().stream().map(c -> types.erasure(c.asType())).collect(Collectors.toList());
        if (parts.size() != make.getParameters().size()) return false;
        for (int n = 0; n < parts.size(); n++) if (!types.isSameType(parts.get(n), types.erasure(make.getParameters().get(n).asType()))) return false;
        return true;
    }

    private String erased(ExecutableElement method) {
        return method.getParameters().stream().map(p -> types.erasure(p.asType()).toString()).collect(Collectors.joining(","));
    }

    private static String parameters(ExecutableElement method, boolean named) {
        List<String> parameters = new ArrayList<>();
        for (VariableElement parameter : method.getParameters()) {
            String type = parameter.asType().toString();
            if (method.isVarArgs() && parameters.size() + 1 == method.getParameters().size()) type = type.replaceFirst("\\[\\]$", "...");
            parameters.add(type + " " + (named ? parameter.getSimpleName() : "a" + parameters.size()));
        }
        return String.join(", ", parameters);
    }

    private static String given(ExecutableElement method, boolean named) {
        StringBuilder text = new StringBuilder();
        for (int n = 0; n < method.getParameters().size(); n++) text.append(", (Object) ").append(named ? method.getParameters().get(n).getSimpleName() : "a" + n);
        return text.toString();
    }

    private static String thrown(ExecutableElement method) {
        return method.getThrownTypes().isEmpty() ? "" : " throws " + method.getThrownTypes().stream().map(Object::toString).collect(Collectors.joining(", "));
    }

    /** A method of a stand-in that asks for the candidate's. */
    String method(TypeElement type, ExecutableElement method) {
        boolean isStatic = method.getModifiers().contains(Modifier.STATIC), isVoid = method.getReturnType().getKind() == TypeKind.VOID;
        boolean isFace = type.getKind() == ElementKind.INTERFACE, bare = isFace && method.getModifiers().contains(Modifier.ABSTRACT);
        ExecutableType seen = (ExecutableType) types.asMemberOf((DeclaredType) type.asType(), method);
        String name = method.getSimpleName().toString(), returns = (method.getEnclosingElement().equals(type) ? method.getReturnType() : seen.getReturnType()).toString();
        String owner = elements.getBinaryName((TypeElement) method.getEnclosingElement()).toString();
        String head = "public " + (isStatic ? "static " : isFace && !bare ? "default " : "") + generics(method.getTypeParameters()) + returns + " " + name
            + "(" + (method.getEnclosingElement().equals(type) ? parameters(method, false) : seenParameters(seen)) + ")" + thrown(method);
        if (bare) return head + ";\n";
        if (method.toString().equals("equals(java.lang.Object)")) return head + " { return Wire.equal(this, a0); }\n";
        String first = name.equals("compareTo") && method.getParameters().size() == 1 ? "Wire.mustBeTheirs(a0); " : "";
        return head + " { " + first + (isVoid ? "" : "return ") + "Wire.call(\"" + owner + "#" + name + "(" + erased(method) + ")\"" + (isStatic ? "" : ", this")
            + given(method, false) + "); }\n";
    }

    private static String seenParameters(ExecutableType seen) {
        StringJoiner text = new StringJoiner(", ");
        for (int n = 0; n < seen.getParameterTypes().size(); n++) text.add(seen.getParameterTypes().get(n) + " a" + n);
        return text.toString();
    }
}
