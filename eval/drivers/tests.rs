use std::{slice::Iter, cmp::{max, self}, mem::replace, collections::{BTreeMap, BTreeSet, HashSet, HashMap, VecDeque}, ops::Index};
use std::any::{Any, TypeId};
use rand::Rng;
// The tests are written for rand 0.7, whose gen_range takes two numbers: a small generator in its place.
mod rand {
    pub struct ThreadRng(u64);
    pub fn thread_rng() -> ThreadRng { ThreadRng(0x9E3779B97F4A7C15) }
    pub trait Rng {
        fn next(&mut self) -> u64;
        fn gen_range(&mut self, low: i32, high: i32) -> i32 { low + (self.next() % (high - low) as u64) as i32 }
    }
    impl Rng for ThreadRng {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 >> 8
        }
    }
}
