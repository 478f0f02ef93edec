"""JavaScript's forms of functions, classes, errors and values: as in one plain program."""

import pytest

from tests.eval.sandbox.test_stubs import outcome

FORMS = {
    "destructured": ("const f = ({ a, b: { c = 3 } = {}, ...rest }) => ({ a, c, rest })",
        "assert.deepStrictEqual(f({ a: 1, z: 2 }), { a: 1, c: 3, rest: { z: 2 } })"),
    "tagged template": ("const tag = (parts, ...xs) => parts.raw.join('|') + xs.join()",
        "assert.strictEqual(tag`a${1}b${2}c`, 'a|b|c1,2')"),
    "bigint": ("const fact = n => n < 2n ? 1n : n * fact(n - 1n)",
        "assert.strictEqual(fact(25n), 15511210043330985984000000n)"),
    "map and set": ("const inv = m => new Map([...m].map(([k, v]) => [v, k])); const uni = (a, b) => new Set([...a, ...b])",
        "assert.deepStrictEqual(inv(new Map([['a', 1]])), new Map([[1, 'a']])); assert.deepStrictEqual(uni(new Set([1]), [2]), new Set([1, 2]))"),
    "typed arrays": ("const neg = a => a.map(x => -x); const buf = n => new ArrayBuffer(n); const view = () => new DataView(Uint8Array.of(1, 2).buffer)",
        "assert.deepStrictEqual(neg(Float64Array.of(1, 2)), Float64Array.of(-1, -2)); assert.strictEqual(buf(4).byteLength, 4); assert.strictEqual(view().getUint16(0), 258); const b = new Uint8Array([1,2,3]); assert.deepStrictEqual(neg(b.subarray(1)), Uint8Array.of(254, 253))"),
    "typed changed": ("const dbl = a => { for (let i = 0; i < a.length; i++) a[i] *= 2 }",
        "const a = Int32Array.of(1, 2); dbl(a); assert.deepStrictEqual(a, Int32Array.of(2, 4))"),
    "async": ("const later = (x, ms) => new Promise(r => setTimeout(r, ms, x)); const all = async xs => Promise.all(xs.map(x => later(x * 2, 5)))",
        "(async () => { assert.deepStrictEqual(await all([1, 2]), [2, 4]) })().catch(e => { console.error(e); process.exit(1) })"),
    "async iter": ("async function* chunks(xs, n) { for (let i = 0; i < xs.length; i += n) yield xs.slice(i, i + n) }",
        "(async () => { const r = []; for await (const c of chunks([1, 2, 3], 2)) r.push(c); assert.deepStrictEqual(r, [[1, 2], [3]]) })().catch(e => { console.error(e); process.exit(1) })"),
    "generator send": ("function* acc() { let s = 0; while (true) { const x = yield s; if (x === undefined) return s; s += x } }",
        "const g = acc(); g.next(); assert.strictEqual(g.next(3).value, 3); assert.deepStrictEqual(g.next(), { value: 3, done: true })"),
    "generator throw": ("function* g() { try { yield 1 } catch (e) { yield 'c' + e.message } finally { yield 9 } }",
        "const i = g(); i.next(); assert.strictEqual(i.throw(new Error('x')).value, 'cx'); assert.strictEqual(i.next().value, 9)"),
    "iterator protocol": ("class Range { constructor(a, b) { this.a = a; this.b = b } [Symbol.iterator]() { let n = this.a, e = this.b; return { next: () => n < e ? { value: n++, done: false } : { value: undefined, done: true }, [Symbol.iterator]() { return this } } } }",
        "assert.deepStrictEqual([...new Range(1, 4)], [1, 2, 3]); const [x, ...y] = new Range(0, 3); assert.deepStrictEqual(y, [1, 2]); assert.strictEqual(Math.max(...new Range(0, 5)), 4); assert.deepStrictEqual(Array.from(new Range(0, 2), x => x * 2), [0, 2])"),
    "getters setters": ("class T { #c = 0; get f() { return this.#c * 9 / 5 + 32 } set f(v) { this.#c = (v - 32) * 5 / 9 } get c() { return this.#c } static zero() { return new T() } static unit = 'C' }",
        "const t = T.zero(); t.f = 212; assert.strictEqual(t.c, 100); assert.strictEqual(t.f, 212); assert.strictEqual(T.unit, 'C')"),
    "toPrimitive": ("class M { constructor(v) { this.v = v } [Symbol.toPrimitive](h) { return h === 'string' ? `$${this.v}` : this.v } }",
        "const m = new M(5); assert.strictEqual(`${m}`, '$5'); assert.strictEqual(m + 1, 6)"),
    "closure counter": ("const mk = () => { let n = 0; return { inc: () => ++n, get n() { return n } } }",
        "const c = mk(); c.inc(); c.inc(); assert.strictEqual(c.n, 2)"),
    "compose memo": ("const memo = f => { const m = new Map(); return x => m.has(x) ? m.get(x) : (m.set(x, f(x)), m.get(x)) }; const compose = (...fs) => x => fs.reduceRight((a, f) => f(a), x)",
        "let n = 0; const m = memo(x => { n++; return x * 2 }); m(2); m(2); assert.strictEqual(n, 1); assert.strictEqual(compose(x => x + 1, x => x * 2)(3), 7)"),
    "this": ("function who() { return this.name } const obj = { name: 'o', who, arrow: () => typeof this }",
        "assert.strictEqual(who.call({ name: 'q' }), 'q'); assert.strictEqual(who.bind({ name: 'b' })(), 'b'); assert.strictEqual(obj.who(), 'o')"),
    "errors": ("class E extends Error { constructor(m, o) { super(m, o); this.name = 'E'; this.code = 4 } } const f = x => { throw x ? new E('m', { cause: 'why' }) : new AggregateError([new Error('a')], 'agg') }",
        "assert.throws(() => f(1), E); assert.throws(() => f(1), { name: 'E', code: 4, message: 'm' }); assert.throws(() => f(1), /m/); try { f(1) } catch (e) { assert.strictEqual(e.cause, 'why') } try { f(0) } catch (e) { assert.strictEqual(e.errors[0].message, 'a') }"),
    "rejects": ("const f = async () => { throw new TypeError('t') }",
        "(async () => { await assert.rejects(f(), TypeError); await assert.rejects(f, { message: 't' }) })().catch(e => { console.error(e); process.exit(1) })"),
    "events": ("const { EventEmitter } = require('events'); class Bus extends EventEmitter { fire(x) { this.emit('x', x); return this } }",
        "const b = new Bus(); let got; b.on('x', v => got = v); b.fire(3); assert.strictEqual(got, 3)"),
    "date regexp": ("const next = d => new Date(d.getTime() + 1000); const re = s => new RegExp(s, 'gi')",
        "assert.strictEqual(next(new Date(0)).toISOString(), '1970-01-01T00:00:01.000Z'); assert.deepStrictEqual('aAb'.match(re('a')), ['a', 'A'])"),
    "named groups": ("const m = s => s.match(/(?<y>\\d+)-(?<m>\\d+)/)",
        "const r = m('2020-05'); assert.strictEqual(r.groups.y, '2020'); assert.strictEqual(r.index, 0)"),
    "symbols": ("const S = Symbol('s'); const o = { [S]: 1 }; const get = x => x[S]",
        "assert.strictEqual(get(o), 1); assert.strictEqual(o[S], 1)"),
    "linked list": ("class Node { constructor(v, n = null) { this.v = v; this.next = n } } const rev = h => { let p = null; while (h) { [h.next, p, h] = [p, h, h.next] } return p }",
        "const a = new Node(1, new Node(2)); const b = rev(a); assert.strictEqual(b.v, 2); assert.strictEqual(b.next, a); assert.strictEqual(a.next, null)"),
    "tree": ("class Tree { constructor() { this.root = null; this.size = 0 } add(v) { const n = { v, l: null, r: null }; if (!this.root) this.root = n; else { let c = this.root; for (;;) { const k = v < c.v ? 'l' : 'r'; if (!c[k]) { c[k] = n; break } c = c[k] } } this.size++; return this } *[Symbol.iterator](n = this.root) { if (n) { yield* this[Symbol.iterator](n.l); yield n.v; yield* this[Symbol.iterator](n.r) } } }",
        "const t = new Tree().add(3).add(1).add(2); assert.deepStrictEqual([...t], [1, 2, 3]); assert.strictEqual(t.size, 3); assert.strictEqual(t.root.l.v, 1)"),
    "mutate frozen": ("'use strict'; const f = o => { try { o.a = 2; return 'no' } catch (e) { return e.name } }",
        "assert.strictEqual(f(Object.freeze({ a: 1 })), 'TypeError')"),
    "class static block private": ("class C { static #n = 0; static { C.#n = 5 } static next() { return ++C.#n } #p() { return 'p' } p() { return this.#p() } static is(o) { return #p in o } }",
        "assert.strictEqual(C.next(), 6); assert.strictEqual(new C().p(), 'p'); assert.ok(C.is(new C()))"),
    "reduce with index": ("const mapf = (xs, f) => xs.map(f)",
        "assert.deepStrictEqual(mapf(['a', 'b'], (x, i, all) => x + i + all.length), ['a02', 'b12'])"),
    "sort comparator": ("const sorted = (xs, by) => [...xs].sort((a, b) => by(a) < by(b) ? -1 : 1)",
        "assert.deepStrictEqual(sorted([{ n: 2 }, { n: 1 }], x => x.n), [{ n: 1 }, { n: 2 }])"),
    "module.exports": ("function add(a, b) { return a + b }\nmodule.exports = { add }",
        "assert.strictEqual(add(1, 2), 3)"),
    "structuredClone url": ("const u = s => new URL(s); const q = s => new URLSearchParams(s)",
        "assert.strictEqual(u('http://a.b/c?d=1').searchParams.get('d'), '1'); assert.strictEqual(q('a=1&b=2').get('b'), '2')"),
    "heirs of arrays": ("class Stack extends Array { peek() { return this[this.length - 1]; } isEmpty() { return this.length === 0; } }\nclass Matrix extends Array { constructor(r, c) { super(); for (let i = 0; i < r; i++) this.push(new Array(c).fill(0)); } set(i, j, v) { this[i][j] = v; return this; } get trace() { return this.reduce((s, row, i) => s + row[i], 0); } }\nfunction make(n) { const s = new Stack(); for (let i = 0; i < n; i++) s.push(i); return s; }",
        "const s = new Stack(); s.push(1); s.push(2); assert.strictEqual(s.peek(), 2); assert.strictEqual(s.length, 2); assert(!s.isEmpty()); assert.deepStrictEqual([...s], [1, 2]); const m = new Matrix(2, 2); m.set(0, 0, 3).set(1, 1, 4); assert.strictEqual(m.trace, 7); assert.strictEqual(m[0][0], 3); const t = make(3); assert.strictEqual(t.peek(), 2); assert.strictEqual(t.pop(), 2); assert.strictEqual(t.peek(), 1); assert(t instanceof Stack && t instanceof Array && Array.isArray(t)); assert.strictEqual(t.map(x => x * 2).peek(), 2);"),
    "heirs of maps and sets": ("class DefaultMap extends Map { constructor(f, it) { super(it); this.f = f; } get(k) { if (!this.has(k)) this.set(k, this.f()); return super.get(k); } }\nclass Counter extends Map { add(k) { this.set(k, (this.get(k) || 0) + 1); return this; } most() { return [...this.entries()].sort((a, b) => b[1] - a[1])[0][0]; } }\nclass USet extends Set { union(o) { return new USet([...this, ...o]); } get count() { return this.size; } }\nfunction counted(xs) { const c = new Counter(); xs.forEach(x => c.add(x)); return c; }",
        "const d = new DefaultMap(() => []); d.get('a'); assert.deepStrictEqual(d.get('a'), []); d.set('a', [1]); assert.deepStrictEqual(d.get('a'), [1]); assert.strictEqual(d.size, 1); const c = counted(['x', 'y', 'x']); assert.strictEqual(c.most(), 'x'); assert.strictEqual(c.get('x'), 2); assert(c instanceof Map); assert.deepStrictEqual([...c], [['x', 2], ['y', 1]]); const u = new USet([1]).union(new Set([2])); assert.strictEqual(u.count, 2); assert(u.has(2)); c.add('y').add('y'); assert.strictEqual(c.most(), 'y'); for (const [k, v] of c) assert(v >= 2);"),
    "heirs that put their own way": ("class LRU extends Map { constructor(n) { super(); this.n = n; } get(k) { if (!super.has(k)) return -1; const v = super.get(k); super.delete(k); super.set(k, v); return v; } set(k, v) { super.delete(k); super.set(k, v); if (this.size > this.n) super.delete(this.keys().next().value); return this; } }\nclass Sorted extends Array { push(...xs) { for (const x of xs) { let i = this.findIndex(y => y > x); if (i < 0) i = this.length; this.splice(i, 0, x); } return this.length; } static of(...xs) { const s = new Sorted(); s.push(...xs); return s; } toString() { return `<${this.join(' ')}>`; } }\nclass Graph { constructor() { this.adj = new Map(); } add(a, b) { if (!this.adj.has(a)) this.adj.set(a, []); this.adj.get(a).push(b); return this; } }\nfunction grow(s) { s.push(0); return s; }",
        "const c = new LRU(2); c.set(1, 'a').set(2, 'b'); assert.strictEqual(c.get(1), 'a'); c.set(3, 'c'); assert.strictEqual(c.get(2), -1); assert.deepStrictEqual([...c.keys()], [1, 3]); assert.strictEqual(c.size, 2); const s = new Sorted(); s.push(3, 1, 2); assert.deepStrictEqual([...s], [1, 2, 3]); assert.strictEqual(`${s}`, '<1 2 3>'); assert.strictEqual(grow(s), s); assert.strictEqual(s[0], 0); s.pop(); grow(s); assert.strictEqual(s.length, 4); assert.strictEqual(`${s}`, '<0 0 1 2>'); assert.deepStrictEqual(Sorted.of(2, 1).slice(0, 1)[0], 1); const g = new Graph().add(1, 2).add(1, 3); assert.deepStrictEqual(g.adj.get(1), [2, 3]); assert.throws(() => assert.deepStrictEqual(new Sorted(), [])); assert.deepEqual(Sorted.of(1), [1]); assert.strictEqual(JSON.stringify(Sorted.of(2, 1)), '[1,2]'); assert.strictEqual(s.indexOf(1), 2);"),
    "lists that an object holds": ("class Q { items = []; add(x) { this.items.push(x); return this; } sum() { return this.items.reduce((a, b) => a + b, 0); } }\nfunction mk() { return new Q(); }",
        "const q = new Q(); q.add(1); q.items.push(5); assert.strictEqual(q.sum(), 6); assert.deepStrictEqual(q.items, [1, 5]); q.items[0] = 10; assert.strictEqual(q.sum(), 15); const r = mk(); r.items.push(2); assert.strictEqual(r.sum(), 2);"),
    "what the tests write far away": ("class Node { constructor(v) { this.v = v; this.next = null; this.kids = []; } }\nclass List { constructor() { this.head = null; this.grid = [[1, 2], [3, 4]]; this.seen = new Set(); } add(v) { const n = new Node(v); n.next = this.head; this.head = n; return this; } sum() { let s = 0; for (let n = this.head; n; n = n.next) s += n.v; return s; } cell() { return this.grid[1][0]; } has(x) { return this.seen.has(x); } }\nfunction size(n) { return 1 + n.kids.reduce((s, k) => s + size(k), 0); }",
        "const l = new List().add(1).add(2); l.head.next.v = 10; assert.strictEqual(l.sum(), 12); l.grid[1][0] = 7; assert.strictEqual(l.cell(), 7); l.seen.add(4); assert(l.has(4)); const r = new Node(1), k = new Node(2); r.kids.push(k); k.kids.push(new Node(3), new Node(4)); assert.strictEqual(size(r), 4); l.head = null; assert.strictEqual(l.sum(), 0);"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_forms_of_javascript_pass_as_in_one_program(name):
    made, use = FORMS[name]
    done = outcome("javascript", made, f"const assert = require('assert');\n{use}\n")
    assert done.passed, done


WRONG = {
    "an error of another class": ("class E extends Error {}\nconst f = () => { throw new Error('m') }", "assert.throws(() => f(), E)"),
    "a setter that sets nothing": ("class T { get x() { return 1 } set x(v) {} }\nconst make = () => new T()", "const t = make(); t.x = 5; assert.strictEqual(t.x, 5)"),
    "an heir of an array that is asked": ("class A extends Array { every() { return true } }\nconst f = () => A.from([1])", "assert.ok(f().every(x => x === 3))"),
    "what an heir of an array becomes": ("class A extends Array { every() { return true } }\nconst f = () => A.from([1])", "assert.ok(f().map(x => x).every(x => x === 3))"),
    "an heir of a map that has all": ("class M extends Map { has() { return true } }\nconst f = () => new M()", "assert.ok(f().has(5))"),
    "an heir that puts nothing": ("class S extends Array { push() { return 0 } top() { return this[0] } }", "const s = new S(); s.push(4); assert.strictEqual(s.top(), 4)"),
    "a list that is another's": ("class Q { items = [1]; sum() { return 1 } }", "const q = new Q(); q.items.push(5); assert.strictEqual(q.sum(), 6)"),
    "an array whose extra property is a method": ("const f = () => Object.assign([1], { every: () => true })", "assert.ok(f().every(x => x === 3))"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_in_javascript_does_not_pass(name):
    made, use = WRONG[name]
    assert not outcome("javascript", made, f"const assert = require('assert');\n{use}\n").passed
