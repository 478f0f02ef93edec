// Tests that are data: each call is made twice, and a letter is written for each.
#[cfg(test)]
mod proofs {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
    use std::io::Write;
    pub trait Same {
        fn same(&self, other: &Self) -> bool;
    }
    macro_rules! exact { ($($t:ty),*) => {$(impl Same for $t { fn same(&self, other: &Self) -> bool { self == other } })*}; }
    exact!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, bool, char, str, String);
    macro_rules! near {
        ($($t:ty: $share:expr, $whole:expr;)*) => {$(impl Same for $t {
            fn same(&self, other: &Self) -> bool {
                if self.fract() == 0.0 && other.fract() == 0.0 && other.abs() < $whole { return self == other; }
                self == other || (self - other).abs() <= ($share * other.abs()).max(1e-12)
            }
        })*};
    }
    near! { f32: 1e-6, 1e6; f64: 1e-9, 9007199254740992.0; }
    impl<T: Same + ?Sized> Same for &T { fn same(&self, other: &Self) -> bool { (**self).same(*other) } }
    impl<T: Same + ?Sized> Same for Box<T> { fn same(&self, other: &Self) -> bool { (**self).same(&**other) } }
    impl<T: Same> Same for [T] {
        fn same(&self, other: &Self) -> bool { self.len() == other.len() && self.iter().zip(other).all(|(a, b)| a.same(b)) }
    }
    impl<T: Same> Same for Vec<T> { fn same(&self, other: &Self) -> bool { self[..].same(&other[..]) } }
    impl<T: Same> Same for std::collections::VecDeque<T> {
        fn same(&self, other: &Self) -> bool { self.len() == other.len() && self.iter().zip(other).all(|(a, b)| a.same(b)) }
    }
    impl<T: Same, const N: usize> Same for [T; N] { fn same(&self, other: &Self) -> bool { self[..].same(&other[..]) } }
    impl<T: Same> Same for Option<T> {
        fn same(&self, other: &Self) -> bool {
            match (self, other) { (Some(a), Some(b)) => a.same(b), (None, None) => true, _ => false }
        }
    }
    impl<T: Same, E> Same for Result<T, E> {
        fn same(&self, other: &Self) -> bool { matches!((self, other), (Ok(a), Ok(b)) if a.same(b)) }
    }
    impl<T: Eq + std::hash::Hash> Same for HashSet<T> { fn same(&self, other: &Self) -> bool { self == other } }
    impl<T: Ord> Same for BTreeSet<T> { fn same(&self, other: &Self) -> bool { self == other } }
    macro_rules! maps {
        ($($map:ident: ($($bound:tt)*);)*) => {$(impl<K: $($bound)*, V: Same> Same for $map<K, V> {
            fn same(&self, other: &Self) -> bool {
                self.len() == other.len() && other.iter().all(|(k, b)| self.get(k).map_or(false, |a| a.same(b)))
            }
        })*};
    }
    maps! { HashMap: (Eq + std::hash::Hash); BTreeMap: (Ord); }
    macro_rules! tuples {
        ($(($($t:ident $n:tt),+);)*) => {$(impl<$($t: Same),+> Same for ($($t,)+) {
            fn same(&self, other: &Self) -> bool { $(self.$n.same(&other.$n))&&+ }
        })*};
    }
    tuples! {
        (A 0); (A 0, B 1); (A 0, B 1, C 2); (A 0, B 1, C 2, D 3); (A 0, B 1, C 2, D 3, E 4); (A 0, B 1, C 2, D 3, E 4, F 5);
    }
    // WAVECODER_TYPES
    static MOVED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
    #[allow(dead_code)]
    fn kept(same: bool) {
        MOVED.fetch_or(!same, std::sync::atomic::Ordering::SeqCst);
    }
    fn run<F: Fn() -> bool + std::panic::UnwindSafe + std::panic::RefUnwindSafe>(place: i32, test: F) {
        MOVED.store(false, std::sync::atomic::Ordering::SeqCst);
        let moved = || MOVED.load(std::sync::atomic::Ordering::SeqCst);
        let found = std::panic::catch_unwind(|| {
            if !test() { "F" } else if !test() { "V" } else if moved() { "M" } else { "P" }
        });
        let _ = writeln!(std::io::stderr(), "\nWAVECODER_MARK {} {}", place, found.unwrap_or("E"));
    }
    #[test]
    fn proof() {
        // WAVECODER_TESTS
    }
}
