// Documented methods and constructors as javac sees them: file paths on stdin, one JSON object a line on stdout.
import com.sun.source.tree.*;
import com.sun.source.util.*;
import java.io.*;
import java.util.*;
import javax.tools.*;

public class Documented {
    static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') out.append('\\').append(c);
            else if (c < 32 || c > 126) out.append(String.format("\\u%04x", (int) c));
            else out.append(c);
        }
        return out.append('"').toString();
    }

    public static void main(String[] arguments) throws Exception {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String path; (path = in.readLine()) != null; ) {
            String file = path;
            JavacTask task = (JavacTask) compiler.getTask(new StringWriter(), files, d -> {},
                List.of("-proc:none"), null, files.getJavaFileObjects(file));
            Trees trees = Trees.instance(task);
            for (CompilationUnitTree unit : task.parse()) {
                new TreePathScanner<Void, Void>() {
                    @Override
                    public Void visitMethod(MethodTree method, Void unused) {
                        String doc = trees.getDocComment(getCurrentPath());
                        if (doc == null || doc.isBlank()) return super.visitMethod(method, null);
                        String name = method.getName().toString();
                        if (name.equals("<init>"))
                            name = ((ClassTree) getCurrentPath().getParentPath().getLeaf()).getSimpleName().toString();
                        System.out.println("{\"file\":" + quoted(file) + ",\"name\":" + quoted(name)
                            + ",\"doc\":" + quoted(doc) + "}");
                        return null;
                    }
                }.scan(unit, null);
            }
        }
    }
}
