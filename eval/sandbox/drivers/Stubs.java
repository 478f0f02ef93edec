// Compiles the benchmark's tests against a candidate that it reads and never runs: javac itself says which methods
// class Solution has and what their types are, and each gets a stub of the same signature that asks the other process.
// So do the candidate's own types that the tests or those methods name.

import com.sun.source.tree.*;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreeScanner;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.*;
import javax.lang.model.element.*;
import javax.lang.model.util.ElementFilter;
import javax.tools.*;

public final class Stubs {
    private static final JavaCompiler COMPILER = ToolProvider.getSystemJavaCompiler();
    private static final StandardJavaFileManager FILES = COMPILER.getStandardFileManager(null, null, null);
    private static final List<String> DRIVERS = List.of("Main", "Own", "Wire", "Exchange", "Mirrors", "Library", "Fields", "Stubs", "StandIns", "Handle");
    private static List<String> options;

    /** Arguments: the class path. Reads candidate.txt, own.txt (members of Solution that the tests bring), names.txt. */
    public static void main(String[] arguments) throws Exception {
        options = List.of("-proc:none", "-nowarn", "-encoding", "UTF-8", "-d", ".", "-cp", arguments[0]);
        String tests = read("Main.java"), own = read("own.txt"), imports = read("imports.txt");
        Set<String> wanted = new HashSet<>(List.of(read("names.txt").split("\\s+"))), taken = new HashSet<>(DRIVERS);
        wanted.removeAll(names("class Own {\n" + own + "\n}", taken));
        names(tests, taken);
        JavacTask task = task(source("Solution", read("candidate.txt")));
        Set<String> words = new HashSet<>(List.of((tests + own).split("\\W+"))), left = new LinkedHashSet<>();
        List<TypeElement> types = new ArrayList<>();
        for (Element element : task.analyze()) if (element instanceof TypeElement && ((TypeElement) element).getNestingKind() == NestingKind.TOP_LEVEL) collect((TypeElement) element, types);
        StandIns standIns = new StandIns(task, words, taken, !own.isBlank());
        String solution = "class Solution {\n" + own + "\n}\n";
        for (TypeElement type : types) if (words.contains(type.getSimpleName().toString())) {
            standIns.want(type);
            if (standIns.whyNot(type.asType(), 0) != null) left.add(standIns.whyNot(type.asType(), 0));
        }
        for (TypeElement type : types) if (type.getQualifiedName().contentEquals("Solution")) solution = solution(task, standIns, type, wanted, left, own);
        Files.writeString(Path.of("standins.txt"), standIns.table);
        if (!task(source("Main", tests), source("Solution", imports + solution + standIns.declared(null))).call()) {
            for (String line : left) System.err.println("cannot cross: " + line);
            System.exit(1);
        }
    }

    private static String solution(JavacTask task, StandIns standIns, TypeElement type, Set<String> wanted, Set<String> left, String own) {
        StringBuilder methods = new StringBuilder();
        for (ExecutableElement method : ElementFilter.methodsIn(task.getElements().getAllMembers(type))) {
            if (!wanted.contains(method.getSimpleName().toString())) continue;
            String why = standIns.whyNot(method);
            if (why != null) left.add("Solution." + method + ": " + why);
            else {
                standIns.want(method);
                methods.append(standIns.method(type, method));
            }
        }
        String members = standIns.fields(type) + (type.getKind() == ElementKind.CLASS ? standIns.constructors(type) : "");
        return "class Solution" + StandIns.generics(type.getTypeParameters()) + " {\n" + own + members + methods + standIns.declared(type) + "}\n";
    }

    private static void collect(TypeElement type, List<TypeElement> found) {
        found.add(type);
        for (TypeElement each : ElementFilter.typesIn(type.getEnclosedElements())) collect(each, found);
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

    /** The methods of a text, and into `types` the types that it declares. */
    private static Set<String> names(String text, Set<String> types) throws Exception {
        Set<String> methods = new HashSet<>();
        for (CompilationUnitTree unit : task(source("Own", text)).parse())
            new TreeScanner<Void, Void>() {
                @Override public Void visitMethod(MethodTree tree, Void none) {
                    methods.add(tree.getName().toString());
                    return super.visitMethod(tree, none);
                }
                @Override public Void visitClass(ClassTree tree, Void none) {
                    types.add(tree.getSimpleName().toString());
                    return super.visitClass(tree, none);
                }
            }.scan(unit, null);
        return methods;
    }
}
