// Documented functions as go/parser sees them: file paths on stdin, one JSON object a line on stdout.
package main

import (
	"bufio"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		file, err := parser.ParseFile(token.NewFileSet(), lines.Text(), nil, parser.ParseComments)
		if err != nil {
			continue
		}
		for _, declaration := range file.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if ok && function.Doc.Text() != "" {
				out.Encode(map[string]string{"file": lines.Text(), "name": function.Name.Name, "doc": function.Doc.Text()})
			}
		}
	}
}
