"""Go's structs, pointers, methods and functions between a candidate and its tests."""

from eval.sandbox import go_types
from tests.eval.sandbox.test_stubs import outcome

OWN_GO = """
type Point struct { X, Y int; name string }
type Node struct { Val int; Next *Node }
type Stack struct { items []int }
type Celsius float64
type Color int
const ( Red Color = iota; Blue )
func Moved(p Point, by int) Point { p.X += by; return p }
func Made(x int) *Point { if x < 0 { return nil }; return &Point{x, x, "n"} }
func Turned(h *Node) *Node { var p *Node; for h != nil { h, h.Next, p = h.Next, p, h }; return p }
func NewStack() *Stack { return &Stack{} }
func (s *Stack) Push(x int) { s.items = append(s.items, x) }
func (s *Stack) Pop() int { x := s.items[len(s.items)-1]; s.items = s.items[:len(s.items)-1]; return x }
func Swap(a, b *int) { *a, *b = *b, *a }
func Warmer(c Celsius) Celsius { return c + 1 }
func Favourite() Color { return Blue }
func Mapped(xs []int, f func(int) int) []int { r := []int{}; for _, x := range xs { r = append(r, f(x)) }; return r }
func Adder(n int) func(int) int { return func(x int) int { n += x; return n } }
func Seen(xs []int) map[int]struct{} { m := map[int]struct{}{}; for _, x := range xs { m[x] = struct{}{} }; return m }
func Twice(c complex128) complex128 { return c * 2 }
func Checked(x int) int { if x < 0 { panic("negative") }; return x }
func Far(
\ta int,
\tb []string,
) (
\tint,
\tbool,
) {
\treturn a, len(b) > 0
}
"""
USES_OF_OWN_GO = """
func TestAll(t *testing.T) {
    assert := assert.New(t)
    assert.Equal(Point{3, 2, "k"}, Moved(Point{1, 2, "k"}, 2))
    assert.True(Made(-1) == nil && Made(3).Y == 3 && Made(3).name == "n")
    turned := Turned(&Node{1, &Node{2, nil}})
    assert.True(turned.Val == 2 && turned.Next.Val == 1 && turned.Next.Next == nil)
    s := NewStack()
    s.Push(1)
    s.Push(2)
    assert.True(s.Pop() == 2 && s.Pop() == 1)
    a, b := 1, 2
    Swap(&a, &b)
    assert.True(a == 2 && Warmer(1.5) == 2.5 && Favourite() == Blue)
    k := 3
    assert.Equal([]int{3, 6}, Mapped([]int{1, 2}, func(x int) int { return x * k }))
    add := Adder(1)
    assert.True(add(2) == 3 && add(2) == 5 && Twice(1+2i) == 2+4i && len(Seen([]int{1, 1})) == 1)
    func() { defer func() { assert.Equal("negative", recover()) }(); Checked(-1) }()
    n, some := Far(2, nil)
    assert.True(n == 2 && !some)
}
"""


def test_types_pointers_and_functions_of_go_pass_as_in_one_program():
    done = outcome("go", OWN_GO, USES_OF_OWN_GO)
    assert done.passed, done


def test_types_of_go_that_are_more_than_data_do_not_cross():
    source = "type A struct { mu sync.Mutex }\ntype B interface { Area() int }\ntype C struct { a A }\ntype D struct { x, y int }\ntype int string\n"
    found = go_types.data_types(source)
    assert list(found) == ["A", "C", "D", "B"]
    assert [name for name, text in found.items() if go_types.is_opaque(text)] == ["A"]
    assert go_types.constants("const (\n\tOne D = iota\n)\nconst true = D(0)\nconst len D = 3\n", {"D": ""}) == [
        "const (\n\tOne D = iota\n)"
    ]
    methods = "func (d D) Equal(o D) bool { return true }\nfunc (d *D) Sum(a, b int) int { return 1 }\n"
    assert [name for _, name, _ in go_types.methods(methods, "x.Equal(y); x.Sum(1, 2)", {"D": ""})] == ["Sum"]
