<?php
// Documented functions and methods as nikic/php-parser sees them: file paths on stdin, JSON lines on stdout.
// argv: the library's autoload.php.
require $argv[1];

use PhpParser\Node;
use PhpParser\NodeTraverser;
use PhpParser\NodeVisitorAbstract;

$parser = (new PhpParser\ParserFactory())->create(PhpParser\ParserFactory::PREFER_PHP7);
while (($file = fgets(STDIN)) !== false) {
    $file = trim($file);
    try {
        $tree = $parser->parse(file_get_contents($file));
    } catch (PhpParser\Error $error) {
        continue;
    }
    $traverser = new NodeTraverser();
    $traverser->addVisitor(new class($file) extends NodeVisitorAbstract {
        public function __construct(private string $file) {}
        public function enterNode(Node $node) {
            $function = $node instanceof Node\Stmt\Function_ || $node instanceof Node\Stmt\ClassMethod;
            $doc = $function ? $node->getDocComment() : null;
            if ($doc === null) {
                return null;
            }
            echo json_encode(['file' => $this->file, 'name' => (string) $node->name, 'doc' => $doc->getText()],
                JSON_INVALID_UTF8_SUBSTITUTE), "\n";
            return NodeTraverser::DONT_TRAVERSE_CHILDREN;
        }
    });
    $traverser->traverse($tree);
}
