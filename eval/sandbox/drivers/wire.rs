// Calls between the tests' process and the candidate's, over descriptor 4. Both sides know the types from the
// candidate's declaration; only the types below cross, and they have the standard library's own equality.
#![allow(dead_code)]
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, VecDeque};
use std::error::Error;
use std::fs::File;
use std::hash::Hash;
use std::num::{ParseFloatError, ParseIntError};
use std::ops::{Range, RangeInclusive};
use std::rc::Rc;
use std::io::{Read, Write};
use std::os::unix::io::FromRawFd;
use std::sync::{atomic::{AtomicU32, Ordering::SeqCst}, Arc, Mutex, RwLock};

const PEER: i32 = 4;
const GONE: i32 = 90;
pub const VALUE: u8 = 0;
pub const RAISED: u8 = 1;

fn socket() -> std::mem::ManuallyDrop<File> {
    std::mem::ManuallyDrop::new(unsafe { File::from_raw_fd(PEER) })
}

pub fn send(bytes: &[u8]) {
    let size = (bytes.len() as u32).to_le_bytes();
    if socket().write_all(&[&size[..], bytes].concat()).is_err() {
        std::process::exit(GONE)
    }
}

pub fn receive() -> In {
    let mut size = [0u8; 4];
    let mut bytes = Vec::new();
    let file = socket();
    let mut peer: &File = &file;
    let whole = peer.read_exact(&mut size).is_ok()
        && peer.take(u32::from_le_bytes(size) as u64).read_to_end(&mut bytes).is_ok()
        && bytes.len() == u32::from_le_bytes(size) as usize;
    if !whole {
        std::process::exit(GONE)
    }
    In { bytes, at: 0 }
}

pub struct In {
    bytes: Vec<u8>,
    at: usize,
}

impl In {
    fn raw(&mut self, size: usize) -> &[u8] {
        if self.bytes.len() - self.at < size {
            std::process::exit(GONE)
        }
        self.at += size;
        &self.bytes[self.at - size..self.at]
    }
    fn size(&mut self) -> usize {
        u32::get(self) as usize
    }
}

pub trait Put {
    fn put(&self, out: &mut Vec<u8>);
}
pub trait Get: Sized {
    fn get(from: &mut In) -> Self;
    // Take what another value of its kind holds, where that is possible through a shared reference.
    fn renew(&self, _new: Self) {}
}

macro_rules! numbers {
    ($($t:ty),*) => {$(
        impl Put for $t { fn put(&self, out: &mut Vec<u8>) { out.extend_from_slice(&self.to_le_bytes()) } }
        impl Get for $t {
            fn get(from: &mut In) -> Self { <$t>::from_le_bytes(from.raw(std::mem::size_of::<$t>()).try_into().unwrap()) }
        }
    )*};
}
numbers!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, f32, f64);

impl Put for bool { fn put(&self, out: &mut Vec<u8>) { out.push(*self as u8) } }
impl Get for bool { fn get(from: &mut In) -> Self { u8::get(from) != 0 } }
impl Put for () { fn put(&self, _: &mut Vec<u8>) {} }
impl Get for () { fn get(_: &mut In) -> Self {} }
impl Put for char { fn put(&self, out: &mut Vec<u8>) { (*self as u32).put(out) } }
impl Get for char { fn get(from: &mut In) -> Self { char::from_u32(u32::get(from)).unwrap_or('\u{fffd}') } }
impl Put for str { fn put(&self, out: &mut Vec<u8>) { (self.len() as u32).put(out); out.extend_from_slice(self.as_bytes()) } }
impl Put for String { fn put(&self, out: &mut Vec<u8>) { self.as_str().put(out) } }
impl Get for String {
    fn get(from: &mut In) -> Self { let n = from.size(); String::from_utf8_lossy(from.raw(n)).into_owned() }
}
impl<T: Get> Get for &'static T { fn get(from: &mut In) -> Self { Box::leak(Box::new(T::get(from))) } }
impl<T: Get> Get for &'static mut T { fn get(from: &mut In) -> Self { Box::leak(Box::new(T::get(from))) } }
impl<T: Get> Get for &'static [T] { fn get(from: &mut In) -> Self { Box::leak(Vec::get(from).into_boxed_slice()) } }
impl<T: Get> Get for Box<T> { fn get(from: &mut In) -> Self { Box::new(T::get(from)) } }
impl<T: Put + ?Sized> Put for Box<T> { fn put(&self, out: &mut Vec<u8>) { (**self).put(out) } }
impl Put for dyn Error { fn put(&self, out: &mut Vec<u8>) { self.to_string().put(out) } }
impl Get for Box<dyn Error> { fn get(from: &mut In) -> Self { String::get(from).into() } }
impl Put for Ordering { fn put(&self, out: &mut Vec<u8>) { (*self as i8).put(out) } }
impl Get for Ordering { fn get(from: &mut In) -> Self { i8::get(from).cmp(&0) } }
impl Get for &'static str { fn get(from: &mut In) -> Self { Box::leak(String::get(from).into_boxed_str()) } }
impl<T: Put + ?Sized> Put for &T { fn put(&self, out: &mut Vec<u8>) { (**self).put(out) } }
impl<T: Put + ?Sized> Put for &mut T { fn put(&self, out: &mut Vec<u8>) { (**self).put(out) } }

impl<T: ?Sized + ToOwned + Put> Put for Cow<'_, T> { fn put(&self, out: &mut Vec<u8>) { (**self).put(out) } }
impl Get for Cow<'static, str> { fn get(from: &mut In) -> Self { Cow::Owned(String::get(from)) } }
impl<T: Put> Put for Range<T> { fn put(&self, out: &mut Vec<u8>) { self.start.put(out); self.end.put(out) } }
impl<T: Get> Get for Range<T> { fn get(from: &mut In) -> Self { let start = T::get(from); start..T::get(from) } }
impl<T: Put> Put for RangeInclusive<T> { fn put(&self, out: &mut Vec<u8>) { self.start().put(out); self.end().put(out) } }
impl<T: Get> Get for RangeInclusive<T> { fn get(from: &mut In) -> Self { let start = T::get(from); start..=T::get(from) } }
impl<T: Put> Put for BinaryHeap<T> {
    fn put(&self, out: &mut Vec<u8>) { (self.len() as u32).put(out); for x in self.iter() { x.put(out) } }
}
impl<T: Get + Ord> Get for BinaryHeap<T> { fn get(from: &mut In) -> Self { Vec::<T>::get(from).into() } }
// Errors of parsing are made anew: the library has no other way to them.
impl Put for ParseIntError {
    fn put(&self, out: &mut Vec<u8>) { PARSED.iter().position(|x| x.parse::<i8>().unwrap_err() == *self).unwrap_or(1).put(out) }
}
impl Get for ParseIntError {
    fn get(from: &mut In) -> Self { PARSED[usize::get(from) % PARSED.len()].parse::<i8>().unwrap_err() }
}
const PARSED: [&str; 4] = ["", "x", "999", "-999"];
impl Put for ParseFloatError { fn put(&self, out: &mut Vec<u8>) { (*self == "".parse::<f64>().unwrap_err()).put(out) } }
impl Get for ParseFloatError {
    fn get(from: &mut In) -> Self { (if bool::get(from) { "" } else { "x" }).parse::<f64>().unwrap_err() }
}

macro_rules! sequences {
    ($($name:ident<$($g:ident: ($($bound:tt)*)),*> of $item:ty;)*) => {$(
        impl<$($g: Put),*> Put for $name<$($g),*> {
            fn put(&self, out: &mut Vec<u8>) { (self.len() as u32).put(out); for x in self.iter() { x.put(out) } }
        }
        impl<$($g: Get + $($bound)*),*> Get for $name<$($g),*> {
            fn get(from: &mut In) -> Self { let n = from.size(); (0..n).map(|_| <$item>::get(from)).collect() }
        }
    )*};
}
sequences! {
    Vec<T: (Sized)> of T;
    VecDeque<T: (Sized)> of T;
    HashSet<T: (Eq + Hash)> of T;
    BTreeSet<T: (Ord)> of T;
    HashMap<K: (Eq + Hash), V: (Sized)> of (K, V);
    BTreeMap<K: (Ord), V: (Sized)> of (K, V);
}
impl<T: Put> Put for [T] { fn put(&self, out: &mut Vec<u8>) { (self.len() as u32).put(out); for x in self { x.put(out) } } }
impl<T: Put, const N: usize> Put for [T; N] { fn put(&self, out: &mut Vec<u8>) { for x in self { x.put(out) } } }
impl<T: Get, const N: usize> Get for [T; N] { fn get(from: &mut In) -> Self { std::array::from_fn(|_| T::get(from)) } }
impl<T: Put> Put for Option<T> {
    fn put(&self, out: &mut Vec<u8>) { self.is_some().put(out); if let Some(x) = self { x.put(out) } }
}
impl<T: Get> Get for Option<T> { fn get(from: &mut In) -> Self { if bool::get(from) { Some(T::get(from)) } else { None } } }
impl<T: Put, E: Put> Put for Result<T, E> {
    fn put(&self, out: &mut Vec<u8>) { self.is_ok().put(out); match self { Ok(x) => x.put(out), Err(e) => e.put(out) } }
}
impl<T: Get, E: Get> Get for Result<T, E> {
    fn get(from: &mut In) -> Self { if bool::get(from) { Ok(T::get(from)) } else { Err(E::get(from)) } }
}
macro_rules! tuples {
    ($(($($t:ident $n:tt),+);)*) => {$(
        impl<$($t: Put),+> Put for ($($t,)+) { fn put(&self, out: &mut Vec<u8>) { $(self.$n.put(out);)+ } }
        impl<$($t: Get),+> Get for ($($t,)+) { fn get(from: &mut In) -> Self { ($($t::get(from),)+) } }
    )*};
}
tuples! {
    (A 0); (A 0, B 1); (A 0, B 1, C 2); (A 0, B 1, C 2, D 3); (A 0, B 1, C 2, D 3, E 4); (A 0, B 1, C 2, D 3, E 4, F 5);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6); (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
}

macro_rules! any {
    ($($n:literal $t:ty),*) => {
        impl Put for dyn Any {
            fn put(&self, out: &mut Vec<u8>) {
                $(if let Some(x) = self.downcast_ref::<$t>() { out.push($n); return x.put(out) })*
                out.push(0)
            }
        }
        impl Get for Box<dyn Any> {
            fn get(from: &mut In) -> Self { match u8::get(from) { $($n => Box::new(<$t>::get(from)),)* _ => Box::new(()) } }
        }
    };
}
any!(1 i32, 2 i64, 3 f32, 4 f64, 5 bool, 6 char, 7 String, 8 &'static str, 9 Vec<i32>, 10 Vec<String>, 11 u32, 12 usize);

// Types that a generic function may be called with, by number (`eval/sandbox/rust/stubs.py`); a reference is its value.
pub trait Tag { const TAG: u8; }
macro_rules! tags { ($($n:literal $t:ty),*) => { $(impl Tag for $t { const TAG: u8 = $n; })* }; }
tags!(0 i32, 1 i64, 2 u64, 3 usize, 4 f64, 5 char, 6 String, 7 str, 8 u8, 9 u32, 10 bool, 11 f32, 12 i8, 13 i16, 14 u16,
    15 i128, 16 u128, 17 isize, 18 Vec<i32>, 19 Vec<String>, 20 Vec<char>, 21 Vec<f64>, 22 Vec<u8>, 23 Vec<i64>,
    24 Vec<&str>, 25 (i32, i32), 26 Option<i32>, 18 [i32], 19 [String], 20 [char], 21 [f64], 22 [u8], 23 [i64], 24 [&str]);
impl<T: Tag + ?Sized> Tag for &T { const TAG: u8 = T::TAG; }

// What may be changed by whoever shares it.
macro_rules! held {
    ($($name:ident, $read:expr, $write:expr);*) => {$(
        impl<T: Put> Put for $name<T> { fn put(&self, out: &mut Vec<u8>) { let read: fn(&Self, &mut Vec<u8>) = $read; read(self, out) } }
        impl<T: Get> Get for $name<T> {
            fn get(from: &mut In) -> Self { $name::new(T::get(from)) }
            fn renew(&self, new: Self) { let write: fn(&Self, T) = $write; write(self, new.into_inner().into_value()) }
        }
    )*};
}
trait IntoValue<T> { fn into_value(self) -> T; }
impl<T> IntoValue<T> for T { fn into_value(self) -> T { self } }
impl<T, E> IntoValue<T> for Result<T, E> { fn into_value(self) -> T { self.unwrap_or_else(|_| panic!("poisoned")) } }
held!(
    RefCell, |x, out| x.borrow().put(out), |x, new| *x.borrow_mut() = new;
    Mutex, |x, out| x.lock().unwrap().put(out), |x, new| *x.lock().unwrap() = new;
    RwLock, |x, out| x.read().unwrap().put(out), |x, new| *x.write().unwrap() = new
);
impl<T: Put + Copy> Put for Cell<T> { fn put(&self, out: &mut Vec<u8>) { self.get().put(out) } }
impl<T: Get> Get for Cell<T> {
    fn get(from: &mut In) -> Self { Cell::new(T::get(from)) }
    fn renew(&self, new: Self) { self.set(new.into_inner()) }
}

// What is shared crosses once a call and has a number from then on, the same on both sides.
trait Shared {
    fn place(&self) -> usize;
    fn any(&self) -> Box<dyn Any>;
    fn copied(&self) -> Box<dyn Shared>;
    fn put_content(&self, out: &mut Vec<u8>);
    fn renew_content(&self, from: &mut In);
}
thread_local! { static SHARED: RefCell<Vec<Box<dyn Shared>>> = Default::default(); }
macro_rules! shared {
    ($($name:ident),*) => {$(
        impl<T: Put + Get + 'static> Shared for $name<T> {
            fn place(&self) -> usize { $name::as_ptr(self) as *const u8 as usize }
            fn any(&self) -> Box<dyn Any> { Box::new(self.clone()) }
            fn copied(&self) -> Box<dyn Shared> { Box::new(self.clone()) }
            fn put_content(&self, out: &mut Vec<u8>) { (**self).put(out) }
            fn renew_content(&self, from: &mut In) { let new = T::get(from); (**self).renew(new) }
        }
        impl<T: Put + Get + 'static> Put for $name<T> {
            fn put(&self, out: &mut Vec<u8>) {
                let known = SHARED.with(|all| all.borrow().iter().position(|x| x.place() == self.place() && x.any().is::<Self>()));
                known.map_or(u32::MAX, |n| n as u32).put(out);
                if known.is_none() {
                    SHARED.with(|all| all.borrow_mut().push(Box::new(self.clone())));
                    (**self).put(out)
                }
            }
        }
        impl<T: Put + Get + 'static> Get for $name<T> {
            fn get(from: &mut In) -> Self {
                let number = u32::get(from);
                if number != u32::MAX {
                    let known = SHARED.with(|all| all.borrow().get(number as usize).map(|x| x.any()));
                    return known.and_then(|x| x.downcast::<Self>().ok()).map_or_else(|| std::process::exit(GONE), |x| *x);
                }
                let at = SHARED.with(|all| { all.borrow_mut().push(Box::new(Rc::new(0u8))); all.borrow().len() - 1 });
                let made = $name::new(T::get(from));
                SHARED.with(|all| all.borrow_mut()[at] = Box::new(made.clone()));
                made
            }
        }
    )*};
}
shared!(Rc, Arc);

// A new call; one inside of another goes on with its numbers.
pub fn begin() {
    if DEPTH.with(|d| d.get()) == 0 { SHARED.with(|all| all.borrow_mut().clear()) }
}

pub fn shared() -> usize { SHARED.with(|all| all.borrow().len()) }

// What the first so many hold after a call, whether it panicked or not.
pub fn put_shared(size: usize, out: &mut Vec<u8>) {
    for n in 0..size { SHARED.with(|all| all.borrow()[n].copied()).put_content(out) }
}

pub fn renew_shared(size: usize, from: &mut In) {
    for n in 0..size { SHARED.with(|all| all.borrow()[n].copied()).renew_content(from) }
}

// Whether two values hold the same.
pub fn same<T: Put>(a: &T, b: &T) -> bool {
    let written = |x: &T| {
        let (mut out, before) = (Vec::new(), shared());
        x.put(&mut out);
        SHARED.with(|all| all.borrow_mut().truncate(before));
        out
    };
    written(a) == written(b)
}

// Functions stay where they are and are asked for by number. One question is open at a time, and who is asked may ask back.
pub const ASKS: u8 = 255;
const ANSWERS: u8 = 254;
type Lent = Box<dyn FnMut(&mut In, &mut Vec<u8>)>;
thread_local! {
    static LENT: RefCell<HashMap<u32, Lent>> = Default::default();
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}
static NUMBER: AtomicU32 = AtomicU32::new(0);
static POINTED: [AtomicU32; 16] = [const { AtomicU32::new(0) }; 16];
static ANSWER: std::sync::OnceLock<fn(In) -> Vec<u8>> = std::sync::OnceLock::new();

// A pointer to a function holds no number.
pub fn point(place: usize, number: u32) { POINTED[place % 16].store(number, SeqCst) }
pub fn pointed(place: usize) -> u32 { POINTED[place % 16].load(SeqCst) }

// Boxed functions inside of other values. Whoever puts one keeps it (`std::mem::forget`) or forbids it (`forbid`).
macro_rules! functions {
    ($(($($a:ident $x:ident),*);)*) => {$(
        impl<$($a: Get + 'static,)* R: Put + 'static> Put for dyn Fn($($a),*) -> R {
            fn put(&self, out: &mut Vec<u8>) {
                let f: &'static (dyn Fn($($a),*) -> R) = unsafe { std::mem::transmute(self) };
                let work = move |_from: &mut In, out: &mut Vec<u8>| { $(let $x = $a::get(_from);)* f($($x),*).put(out) };
                lend(Box::new(work)).put(out)
            }
        }
        impl<$($a: Put + 'static,)* R: Get + 'static> Get for Box<dyn Fn($($a),*) -> R> {
            fn get(from: &mut In) -> Self {
                let number = u32::get(from);
                Box::new(move |$($x: $a),*| ask::<R>(number, |_out| { $($x.put(_out);)* }))
            }
        }
    )*};
}
functions! { (); (A a); (A a, B b); (A a, B b, C c); }

// From now on nobody can ask for what was put since there were so many.
pub fn lent() -> u32 { NUMBER.load(SeqCst) }
pub fn forbid(since: u32) { LENT.with(|lent| lent.borrow_mut().retain(|number, _| *number < since)) }

// For as long as the program runs: what a function returned may ask for it.
pub fn keep(f: Lent) -> u32 {
    let number = NUMBER.fetch_add(1, SeqCst);
    LENT.with(|lent| lent.borrow_mut().insert(number, f));
    number
}

// The candidate's side: what a returned function borrows is leaked (`eval/sandbox/rust/stubs.py`).
pub fn lend<'a>(f: Box<dyn FnMut(&mut In, &mut Vec<u8>) + 'a>) -> u32 {
    keep(unsafe { std::mem::transmute::<Box<dyn FnMut(&mut In, &mut Vec<u8>) + 'a>, Lent>(f) })
}

// For one call: nobody can ask for it after that, whatever the candidate sends.
pub struct Now(pub u32);
pub fn now<'a>(f: Box<dyn FnMut(&mut In, &mut Vec<u8>) + 'a>) -> Now { Now(lend(f)) }
impl Drop for Now {
    fn drop(&mut self) { LENT.with(|lent| lent.borrow_mut().remove(&self.0)); }
}

pub fn call_lent(mut from: In) -> Vec<u8> {
    let number = u32::get(&mut from);
    let Some(mut f) = LENT.with(|lent| lent.borrow_mut().remove(&number)) else { std::process::exit(GONE) };
    let answer = guarded(|out| f(&mut from, out));
    LENT.with(|lent| lent.borrow_mut().insert(number, f));
    answer
}

pub fn ask<R: Get>(number: u32, put: impl FnOnce(&mut Vec<u8>)) -> R {
    let mut request = vec![ASKS];
    number.put(&mut request);
    put(&mut request);
    let (mut answer, whole) = call(request);
    if whole { R::get(&mut answer) } else { panic!("the other program's function panicked") }
}

// What the other side's function answers, and whether it is a value; else it panicked. Tests run in threads: one asks
// at a time, and again while it answers.
pub fn call(request: Vec<u8>) -> (In, bool) {
    static ASKING: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let depth = DEPTH.with(|d| d.replace(d.get() + 1));
    let asking = (depth == 0).then(|| ASKING.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
    send(&request);
    let mut answer = loop {
        let mut message = receive();
        if u8::get(&mut message) == ANSWERS { break message }
        message.at = 0;
        reply(message)
    };
    DEPTH.with(|d| d.set(depth));
    drop(asking);
    let whole = u8::get(&mut answer) == VALUE;
    (answer, whole)
}

fn reply(mut message: In) {
    let answer = match ANSWER.get() {
        Some(answer) => answer(message),
        None if u8::get(&mut message) == ASKS => call_lent(message),
        None => std::process::exit(GONE),
    };
    send(&[&[ANSWERS], &answer[..]].concat())
}

// The candidate's side: answer until the tests' program ends.
pub fn serve(answer: fn(In) -> Vec<u8>) {
    let _ = ANSWER.set(answer);
    loop {
        let message = receive();
        begin();
        reply(message)
    }
}

// What a call answers, as bytes.
pub fn guarded<F: FnOnce(&mut Vec<u8>)>(work: F) -> Vec<u8> {
    let (mut out, before) = (vec![VALUE], shared());
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&mut out))) {
        Ok(()) => out,
        Err(_) => {
            SHARED.with(|all| all.borrow_mut().truncate(before));
            vec![RAISED]
        }
    }
}
