// Compiles the benchmark's tests against a candidate that it reads and never runs: javac itself says which methods
// class Solution has and what their types are, and each gets a stub of the same signature that asks the other process.
// Only types of the Java library cross, so no equality of the candidate's own ever meets an assertion.

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.JavacTask;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.*;
import java.util.stream.Collectors;
import javax.lang.model.element.*;
import javax.lang.model.type.*;
import javax.lang.model.util.ElementFilter;
import javax.tools.*;

public final class Stubs {
    private static final JavaCompiler COMPILER = ToolProvider.getSystemJavaCompiler();
    private static final StandardJavaFileManager FILES = COMPILER.getStandardFileManager(null, null, null);
    private static List<String> options;

    /** Arguments: the class path. Reads candidate.txt, own.txt (members of Solution that the tests bring), names.txt. */
    public static void main(String[] arguments) throws Exception {
        options = List.of("-proc:none", "-nowarn", "-encoding", "UTF-8", "-d", ".", "-cp", arguments[0]);
        String tests = read("Main.java"), own = read("own.txt"), imports = read("imports.txt");
        Set<String> wanted = new HashSet<>(List.of(read("names.txt").split("\\s+")));
        wanted.removeAll(methodsOf(own));
        JavacTask task = task(source("Solution", read("candidate.txt")));
        List<String> methods = new ArrayList<>(), left = new ArrayList<>();
        for (Element element : task.analyze())
            if (element instanceof TypeElement && element.getSimpleName().contentEquals("Solution"))
                for (ExecutableElement method : ElementFilter.methodsIn(task.getElements().getAllMembers((TypeElement) element)))
                    if (wanted.contains(method.getSimpleName().toString())) (isPlain(method) ? methods : left).add(
                        isPlain(method) ? stub(task, method) : method.toString());
        String solution = imports + "class Solution {\n" + own + String.join("\n", methods) + "\n}\n";
        if (!task(source("Main", tests), source("Solution", solution)).call()) {
            for (String method : left) System.err.println("of types that the candidate itself declares: Solution." + method);
            System.exit(1);
        }
    }

    private static String read(String name) throws Exception {
        return Files.readString(Path.of(name));
    }

    private static JavaFileObject source(String name, String text) {
        return new SimpleJavaFileObject(URI.create("string:///" + name + ".java"), JavaFileObject.Kind.SOURCE) {
            @Override public CharSequence getCharContent(boolean ignore) { return text; }
        };
    }

    private static JavacTask task(JavaFileObject... sources) {
        return (JavacTask) COMPILER.getTask(null, FILES, null, options, null, List.of(sources));
    }

    private static Set<String> methodsOf(String members) throws Exception {
        Set<String> names = new HashSet<>();
        if (members.isBlank()) return names;
        for (CompilationUnitTree unit : task(source("Own", "class Own {\n" + members + "\n}")).parse())
            for (Tree type : unit.getTypeDecls())
                if (type instanceof ClassTree)
                    for (Tree member : ((ClassTree) type).getMembers())
                        if (member instanceof MethodTree) names.add(((MethodTree) member).getName().toString());
        return names;
    }

    private static boolean isPlain(ExecutableElement method) {
        return isPlain(method.getReturnType(), 0) && method.getParameters().stream().allMatch(p -> isPlain(p.asType(), 0))
            && method.getThrownTypes().stream().allMatch(t -> isPlain(t, 0))
            && method.getTypeParameters().stream().flatMap(t -> t.getBounds().stream()).allMatch(t -> isPlain(t, 0));
    }

    private static boolean isPlain(TypeMirror type, int depth) {
        if (depth > 8) return true; // <T extends Comparable<T>>: its bounds have been seen
        if (type instanceof ArrayType) return isPlain(((ArrayType) type).getComponentType(), depth + 1);
        if (type instanceof WildcardType) {
            WildcardType any = (WildcardType) type;
            return (any.getExtendsBound() == null || isPlain(any.getExtendsBound(), depth + 1))
                && (any.getSuperBound() == null || isPlain(any.getSuperBound(), depth + 1));
        }
        if (type instanceof DeclaredType && type.getKind() == TypeKind.DECLARED) {
            TypeElement of = (TypeElement) ((DeclaredType) type).asElement();
            return of.getQualifiedName().toString().startsWith("java.")
                && ((DeclaredType) type).getTypeArguments().stream().allMatch(t -> isPlain(t, depth + 1));
        }
        return type.getKind().isPrimitive() || type.getKind() == TypeKind.VOID || type.getKind() == TypeKind.TYPEVAR;
    }

    private static String stub(JavacTask task, ExecutableElement method) {
        String erased = method.getParameters().stream().map(p -> task.getTypes().erasure(p.asType()).toString())
            .collect(Collectors.joining(","));
        List<String> parameters = new ArrayList<>(), given = new ArrayList<>();
        for (VariableElement parameter : method.getParameters()) {
            String type = parameter.asType().toString(), name = "a" + parameters.size();
            boolean last = parameters.size() + 1 == method.getParameters().size();
            if (method.isVarArgs() && last) type = type.replaceFirst("\\[\\]$", "...");
            parameters.add(type + " " + name);
            given.add(", (Object) " + name);
        }
        String generic = method.getTypeParameters().stream().map(t -> t + " extends " + t.getBounds().stream()
            .map(Object::toString).collect(Collectors.joining(" & "))).collect(Collectors.joining(", "));
        String thrown = method.getThrownTypes().stream().map(Object::toString).collect(Collectors.joining(", "));
        boolean isVoid = method.getReturnType().getKind() == TypeKind.VOID;
        return "public " + (method.getModifiers().contains(Modifier.STATIC) ? "static " : "")
            + (generic.isEmpty() ? "" : "<" + generic + "> ") + method.getReturnType() + " " + method.getSimpleName() + "("
            + String.join(", ", parameters) + ")" + (thrown.isEmpty() ? "" : " throws " + thrown) + " { "
            + (isVoid ? "" : "return ") + "Wire.call(\"" + method.getSimpleName() + "(" + erased + ")\""
            + String.join("", given) + "); }";
    }
}
