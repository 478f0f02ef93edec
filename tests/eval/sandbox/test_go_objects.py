"""Go's interfaces, errors, stringers and channels between a candidate and its tests, as in one plain program."""

import pytest

from eval.sandbox import go_types
from tests.eval.sandbox.test_stubs import outcome

HEAD = 'package main\nimport (\n\t"errors"\n\t"fmt"\n)\nvar _ = errors.New\nvar _ = fmt.Sprint\n'
FORMS = {
    "interface": ("type Shape interface {\n\tArea() float64\n\tName() string\n}\ntype Disc struct{ R float64 }\ntype Square struct {\n\tside float64\n}\nfunc (d Disc) Area() float64 { return 3 * d.R * d.R }\nfunc (d Disc) Name() string { return \"disc\" }\nfunc (s *Square) Area() float64 { return s.side * s.side }\nfunc (s *Square) Name() string { return fmt.Sprint(\"square\", s.side) }\nfunc (s *Square) Grow(by float64) { s.side += by }\nfunc Make(kind string, x float64) Shape { if kind == \"d\" { return Disc{x} }; return &Square{side: x} }\nfunc Total(shapes []Shape) float64 { t := 0.0; for _, s := range shapes { t += s.Area() }; return t }\nfunc Widest(shapes ...Shape) (Shape, error) { if len(shapes) == 0 { return nil, errors.New(\"none\") }; w := shapes[0]; for _, s := range shapes { if s.Area() > w.Area() { w = s } }; return w, nil }",
        "s := Make(\"s\", 2); assert.Equal(4.0, s.Area()); assert.Equal(\"square2\", s.Name()); assert.Equal(Make(\"d\", 1), Disc{1}); sq := s.(*Square); sq.Grow(1); assert.Equal(9.0, sq.Area()); assert.Equal(16.0, Total([]Shape{Disc{2}, &Square{2}})); w, err := Widest(Disc{1}, &Square{5}); assert.NoError(err); assert.Equal(25.0, w.Area()); _, err = Widest(); assert.EqualError(err, \"none\")"),
    "errors": ("var ErrEmpty = errors.New(\"empty stack\")\nvar (\n\tErrBig = errors.New(\"too big\")\n)\ntype ParseError struct { Line int; Msg string }\nfunc (e *ParseError) Error() string { return fmt.Sprintf(\"%d: %s\", e.Line, e.Msg) }\nfunc Pop(x []int) (int, error) { if len(x) == 0 { return 0, ErrEmpty }; if len(x) > 3 { return 0, fmt.Errorf(\"pop: %w\", ErrBig) }; return x[len(x)-1], nil }\nfunc Parse(s string) error { if s == \"\" { return &ParseError{3, \"nothing\"} }; return nil }",
        "_, err := Pop(nil); assert.True(errors.Is(err, ErrEmpty)); assert.Equal(ErrEmpty, err); _, err = Pop([]int{1, 2, 3, 4}); assert.True(errors.Is(err, ErrBig)); assert.Equal(\"pop: too big\", err.Error()); x, err := Pop([]int{7}); assert.Nil(err); assert.Equal(7, x); err = Parse(\"\"); var pe *ParseError; assert.True(errors.As(err, &pe)); assert.Equal(3, pe.Line); assert.EqualError(err, \"3: nothing\"); assert.NoError(Parse(\"x\"))"),
    "stringers and empties": ("type Day int\nconst (\n\tMon Day = iota\n\tTue\n)\nfunc (d Day) String() string { return [...]string{\"Mon\", \"Tue\"}[d] }\ntype Queue struct { items []int }\nfunc NewQueue() *Queue { return &Queue{} }\nfunc (q *Queue) Push(x int) { q.items = append(q.items, x) }\nfunc (q *Queue) IsEmpty() bool { return len(q.items) == 0 }\nfunc (q *Queue) Pop() (x int, ok bool) { if q.IsEmpty() { return 0, false }; x, q.items = q.items[0], q.items[1:]; return x, true }\nfunc Next(d Day) Day { return (d + 1) % 2 }",
        "assert.Equal(Tue, Next(Mon)); assert.Equal(\"Tue\", fmt.Sprint(Next(Mon))); q := NewQueue(); assert.True(q.IsEmpty()); q.Push(4); x, ok := q.Pop(); assert.True(ok); assert.Equal(4, x); _, ok = q.Pop(); assert.False(ok)"),
    "maps, generics, variadics, functions": ("func Count(words ...string) map[string]int { m := map[string]int{}; for _, w := range words { m[w]++ }; return m }\nfunc MapOf[T, U any](x []T, f func(T) U) []U { y := []U{}; for _, v := range x { y = append(y, f(v)) }; return y }\nfunc DivMod(a, b int) (q, r int, err error) { if b == 0 { err = errors.New(\"zero\"); return }; return a / b, a % b, nil }\nfunc Adder(n int) func(int) int { return func(x int) int { n += x; return n } }\nfunc Groups(m map[string][]int) map[int]string { g := map[int]string{}; for k, v := range m { g[len(v)] = k }; return g }",
        "assert.Equal(map[string]int{\"a\": 2, \"b\": 1}, Count(\"a\", \"b\", \"a\")); assert.Equal([]string{\"1\", \"2\"}, MapOf([]int{1, 2}, func(x int) string { return fmt.Sprint(x) })); q, r, err := DivMod(7, 2); assert.Equal([]int{3, 1}, []int{q, r}); assert.Nil(err); _, _, err = DivMod(1, 0); assert.Error(err); f := Adder(1); f(2); assert.Equal(6, f(3)); assert.Equal(\"k\", Groups(map[string][]int{\"k\": {1, 2}})[2])"),
    "channels": ("func Gen(n int) <-chan int { c := make(chan int); go func() { defer close(c); for i := 0; i < n; i++ { c <- i } }(); return c }\nfunc Sum(in <-chan int) int { t := 0; for x := range in { t += x }; return t }\nfunc Produce(n int, out chan<- string) { for i := 0; i < n; i++ { out <- fmt.Sprint(i) }; close(out) }\nfunc Squares(in <-chan int) <-chan int { out := make(chan int); go func() { for x := range in { out <- x * x }; close(out) }(); return out }\nfunc Fill(c chan int, x int) { c <- x }\nfunc Split(in <-chan int, even, odd chan<- int) { for x := range in { if x%2 == 0 { even <- x } else { odd <- x } }; close(even); close(odd) }",
        "n := 0; for x := range Gen(4) { n += x }; assert.Equal(6, n); c := make(chan int); go func() { c <- 3; c <- 4; close(c) }(); assert.Equal(7, Sum(c)); out := make(chan string); go Produce(3, out); got := \"\"; for s := range out { got += s }; assert.Equal(\"012\", got); sq := []int{}; for x := range Squares(Gen(3)) { sq = append(sq, x) }; assert.Equal([]int{0, 1, 4}, sq); b := make(chan int, 1); Fill(b, 9); assert.Equal(9, <-b); e, o := make(chan int, 9), make(chan int, 9); Split(Gen(5), e, o); assert.Equal(3, len(e)); assert.Equal(1, <-o)"),
}  # fmt: skip


def judged(candidate, checks):
    lines = "\n\t".join(checks.split("; "))
    return outcome("go", HEAD + candidate, f"func TestAll(t *testing.T) {{\n\tassert := assert.New(t)\n\t{lines}\n}}\n")


@pytest.mark.parametrize("name", FORMS)
def test_objects_of_go_pass_as_in_one_program(name):
    done = judged(*FORMS[name])
    assert done.passed, done


WRONG = {
    "an error that is another": ('var ErrA = errors.New("same")\nvar ErrB = errors.New("same")\nfunc F() error { return ErrA }', "assert.True(errors.Is(F(), ErrB))"),
    "an error that says it is all": ('type Any struct{}\nfunc (Any) Error() string { return "any" }\nfunc (Any) Is(error) bool { return true }\nvar ErrA = errors.New("a")\nfunc F() error { return Any{} }', "assert.True(errors.Is(F(), ErrA))"),
    "an object of another type": ("type S interface { A() int }\ntype X struct{ N int }\ntype Y struct{ N int }\nfunc (x X) A() int { return x.N }\nfunc (y Y) A() int { return y.N }\nfunc F() S { return X{1} }", "assert.Equal(Y{1}, F())"),
    "a method that compares": ("type X struct{ N int }\nfunc (x X) Equal(n int) bool { return true }\nfunc F() X { return X{1} }", "assert.True(F().Equal(5))"),
    "a channel that lacks an item": ("func F() <-chan int { c := make(chan int, 1); c <- 1; close(c); return c }", "c := F(); assert.Equal(1, <-c); assert.Equal(2, <-c)"),
    "a set that holds everything": ("type Set map[int]bool\nfunc (s Set) Contains(n int) bool { return true }\nfunc F() Set { return Set{} }", "assert.True(F().Contains(5))"),
    "fields of an object with a lock": ("type X struct { mu sync.Mutex; N int }\nfunc F() *X { return &X{N: 4} }", "assert.Equal(5, F().N)"),
    "an interface that compares with data": ("type I interface { Equal(n int) bool }\ntype X struct{ N int }\nfunc (x X) Equal(n int) bool { return true }\nfunc F() I { return X{1} }", "assert.True(F().Equal(5))"),
    "a number of its own that compares": ("type Int struct{ N int }\nfunc (x *Int) Cmp(y *big.Int) int { return 0 }\nfunc F() *Int { return &Int{1} }", "assert.Equal(0, F().Cmp(big.NewInt(5)))"),
    "an object with a lock that compares": ("type X struct { mu sync.Mutex; n int }\nfunc (x *X) Equal(n int) bool { return true }\nfunc F() *X { return &X{} }", "assert.True(F().Equal(5))"),
    "a slice that is another's": ("var kept []int\nfunc F(x []int) []int { kept = []int{5}; return append([]int(nil), x...) }", "x := []int{1}; y := F(x); y[0] = 5; assert.Equal(5, x[0])"),
    "a pointer that is another": ("func F(p *int) *int { q := *p; return &q }", "x := 1; assert.True(F(&x) == &x)"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_does_not_pass(name):
    done = judged(*WRONG[name])
    assert done.outcome in {"failed", "signature"}, done


def test_interfaces_that_are_constraints_or_hold_what_cannot_cross_are_none():
    source = "type N interface { ~int | ~string }\ntype A interface { F(x sync.Mutex) }\ntype B interface {\n\tC\n\tG() (n int, err error)\n}\ntype C interface { H(C) }\n"
    assert set(go_types.data_types(source)) == {"B", "C"}
