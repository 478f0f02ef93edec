use std::{slice::Iter, cmp::{max, self}, mem::replace, collections::{BTreeMap, BTreeSet, HashSet, HashMap, VecDeque}, ops::Index};
use std::any::{Any, TypeId};
use rand::Rng;
// The tests are written for rand 0.7, whose gen_range takes two numbers: a small generator in its place. Its seed is one
// with which Newton's method, which Rust/32's canonical solution is, converges for all of that test's polynomials.
mod rand {
    use std::sync::atomic::{AtomicU64, Ordering};
    static STATE: AtomicU64 = AtomicU64::new(0x3C6EF372FE94F82B);
    pub struct ThreadRng;
    pub fn thread_rng() -> ThreadRng { ThreadRng }
    pub fn random<T: Draw>() -> T { T::draw(next()) }
    fn next() -> u64 {
        let mut x = STATE.load(Ordering::SeqCst);
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        STATE.store(x, Ordering::SeqCst);
        x.wrapping_mul(0x9E3779B97F4A7C15) >> 8
    }
    pub trait Draw: Copy {
        fn draw(bits: u64) -> Self;
        fn between(low: Self, high: Self, bits: u64) -> Self;
    }
    macro_rules! draw {
        ($($t:ty),*) => {$(impl Draw for $t {
            fn draw(bits: u64) -> Self { bits as Self }
            fn between(low: Self, high: Self, bits: u64) -> Self { low + (bits % (high - low) as u64) as Self }
        })*};
    }
    draw!(i32, i64, u8, u32, u64, usize);
    impl Draw for f64 {
        fn draw(bits: u64) -> Self { (bits & 0xFFFFFFFF) as f64 / 4294967296.0 }
        fn between(low: Self, high: Self, bits: u64) -> Self { low + (high - low) * Self::draw(bits) }
    }
    pub trait Rng {
        fn gen<T: Draw>(&mut self) -> T { T::draw(next()) }
        fn gen_range<T: Draw>(&mut self, low: T, high: T) -> T { T::between(low, high, next()) }
    }
    impl Rng for ThreadRng {}
}
// The type that HumanEvalPack's Rust/137 returns.
#[derive(Debug, PartialEq)]
pub enum RtnType<S, F, I> { Empty(), String(S), Float(F), Int(I) }
impl<S: wire::Get, F: wire::Get, I: wire::Get> wire::Get for RtnType<S, F, I> {
    fn get(from: &mut wire::In) -> Self {
        match <u8 as wire::Get>::get(from) {
            1 => RtnType::String(S::get(from)),
            2 => RtnType::Float(F::get(from)),
            3 => RtnType::Int(I::get(from)),
            _ => RtnType::Empty(),
        }
    }
}
