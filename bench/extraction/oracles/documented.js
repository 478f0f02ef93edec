// Documented functions as TypeScript's compiler sees them: file paths on stdin, one JSON object a line on stdout.
// argv: the folder of the npm package "typescript".
const ts = require(process.argv[2]);
const fs = require("fs");

function described(node) {
  return ts.getJSDocCommentsAndTags(node).filter((part) => ts.isJSDoc(part));
}

function nameOf(node) {
  if (ts.isConstructorDeclaration(node)) return "constructor";
  let parent = node.parent;
  while (parent && ts.isParenthesizedExpression(parent)) parent = parent.parent;
  const named = ts.isFunctionExpression(node) || ts.isArrowFunction(node) ? parent : node;
  const name = named && (named.name || named.left);
  if (name) return name.getText();
  return node.name ? node.name.getText() : "";
}

function documentation(node, source) {
  const own = described(node);
  if (own.length) return own[own.length - 1].getText(source);
  const siblings = node.parent && (node.parent.statements || node.parent.members);
  if (!siblings || !node.name) return "";
  let doc = "";
  for (let at = siblings.indexOf(node) - 1; at >= 0; at--) {
    const other = siblings[at];
    if (other.body || !other.name || other.kind !== node.kind || other.name.getText() !== node.name.getText()) break;
    const docs = described(other);
    if (docs.length) doc = docs[docs.length - 1].getText(source);
  }
  return doc;
}

for (const file of fs.readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  const kind = file.endsWith("x") ? ts.ScriptKind.TSX : undefined;
  const source = ts.createSourceFile(file, fs.readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true, kind);
  const visit = (node) => {
    const isFunction = ts.isFunctionLike(node) && node.body;
    const doc = isFunction && documentation(node, source);
    if (doc) console.log(JSON.stringify({ file, name: nameOf(node), doc }));
    else ts.forEachChild(node, visit);
  };
  visit(source);
}
