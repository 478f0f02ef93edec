// Pointers inside of pointers, rows of arrays, references that functions return, and loops over a C++ candidate's objects.
// Both programs include it behind objects.hpp, or neither.
#pragma once
#include "objects.hpp"

namespace wavecoder {

// ---- pointers inside of pointers: their blocks come back from a call whole, as each side may have changed any
template <class T> void write_block(Block& b) { for (size_t n = 0; n < b.size / sizeof(T); ++n) Wire<T>::put(reinterpret_cast<T*>(b.at)[n]); }
template <class T> void read_block(Block& b) { for (size_t n = 0; n < b.size / sizeof(T); ++n) reinterpret_cast<T*>(b.at)[n] = Wire<T>::get(); }
template <class T> struct Wire<T*, std::enable_if_t<std::is_arithmetic<T>::value && !std::is_same<T, const char>::value>> {
    using V = std::remove_cv_t<T>;
    static void mark(size_t before) {
        if (blocks().size() > before && !std::is_const<T>::value) blocks().back().back = WAVECODER_SIDE ? write_block<V> : read_block<V>;
    }
    static void put(T* x) {
        size_t bytes = x ? bytes_behind(x) : 0, size = bytes ? bytes / sizeof(T) : 1, before = blocks().size();
        if constexpr (std::is_same<V, char>::value) if (x && !bytes) size = std::strlen(x) + 1;
        Memory<T>::put(x, size);
        if (!WAVECODER_SIDE) mark(before);
    }
    static T* get() {
        size_t before = blocks().size();
        unsigned char how;
        T* x = Memory<T>::get(how);
        if (WAVECODER_SIDE) mark(before);
        return x;
    }
};

// ---- rows of an array of two dimensions
template <class T, size_t M> struct Rows : Span<std::conditional_t<std::is_const<T>::value, const std::array<std::remove_cv_t<T>, M>, std::array<T, M>>> {
    using Row = std::conditional_t<std::is_const<T>::value, const std::array<std::remove_cv_t<T>, M>, std::array<T, M>>;
    using Base = Span<Row>;
    Rows() = default;
    template <class U, size_t N> Rows(U (&x)[N][M]) { this->at = reinterpret_cast<Row*>(x), this->size = N; }
    template <class U> Rows(U (*const& x)[M]) : Base(reinterpret_cast<Row*>(x)) {}
    T (*rows() const)[M] { return reinterpret_cast<T (*)[M]>(this->at); }
};
template <class T, size_t M> struct Wire<Rows<T, M>> {
    static void put(const Rows<T, M>& x) { Wire<typename Rows<T, M>::Base>::put(x); }
    static Rows<T, M> get() { Rows<T, M> x; static_cast<typename Rows<T, M>::Base&>(x) = Wire<typename Rows<T, M>::Base>::get(); return x; }
};
template <class T, size_t M> struct Back<Rows<T, M>> : Back<typename Rows<T, M>::Base> {};

// ---- an array that is passed by reference
template <class T, size_t N> struct Fixed : Span<T> {
    Fixed() = default;
    Fixed(T (&x)[N]) : Span<T>(x) {}
    T (&whole() const)[N] { return *reinterpret_cast<T (*)[N]>(this->at); }
};
template <class T, size_t N> struct Wire<Fixed<T, N>> {
    static void put(const Fixed<T, N>& x) { Wire<Span<T>>::put(x); }
    static Fixed<T, N> get() { Fixed<T, N> x; static_cast<Span<T>&>(x) = Wire<Span<T>>::get(); return x; }
};
template <class T, size_t N> struct Back<Fixed<T, N>> : Back<Span<T>> {};

// ---- two iterators that a function takes: the items between them; one that it returns: how far it is
struct Nothing {};
template <> struct Wire<Nothing> {
    static void put(Nothing) {}
    static Nothing get() { return {}; }
};
template <class I, class C> struct Range {
    static constexpr bool CHANGES = std::is_assignable<typename std::iterator_traits<I>::reference, typename C::value_type>::value;
#if WAVECODER_SIDE
    std::shared_ptr<C> items;
    explicit Range(std::shared_ptr<C> x) : items(std::move(x)) {}
    Range(const Range&) = default;  // a move is a copy, too: what the function changes comes back
    I first() {
        if constexpr (std::is_pointer<I>::value) return items->data();
        else return items->begin();
    }
    I last() { return std::next(first(), items->size()); }
#else
    I at, end;
#endif
};
template <class I, class C> struct Wire<Range<I, C>> {
#if WAVECODER_SIDE
    static Range<I, C> get() { return Range<I, C>(std::make_shared<C>(Wire<C>::get())); }
#else
    static void put(const Range<I, C>& x) { Wire<C>::put(C(x.at, x.end)); }
#endif
};
template <class I, class C> struct Back<Range<I, C>> {
#if WAVECODER_SIDE
    static void put(const Range<I, C>& x) { if constexpr (Range<I, C>::CHANGES) Wire<C>::put(*x.items); }
#else
    static void get(Range<I, C>& x) {
        if constexpr (Range<I, C>::CHANGES) {
            C now = Wire<C>::get();
            I at = x.at;
            for (auto&& item : now) {
                if (at == x.end) ::_exit(GONE);
                *at++ = std::move(item);
            }
        }
    }
#endif
};
template <class I> I within(I first, I last, ptrdiff_t n) {
    if (n < 0 || n > std::distance(first, last)) ::_exit(GONE);
    return std::next(first, n);
}
template <class C> auto at_place(C& x, ptrdiff_t n) { return within(x.begin(), x.end(), n); }

template <class T> std::initializer_list<T> listed(const std::vector<T>& x) {
    static_assert(sizeof(std::initializer_list<T>) == sizeof(const T*) + sizeof(size_t), "a pointer and a length");
    std::initializer_list<T> made;
    const T* at = x.data();
    size_t size = x.size();
    std::memcpy(static_cast<void*>(&made), &at, sizeof at);
    std::memcpy(reinterpret_cast<char*>(&made) + sizeof at, &size, sizeof size);
    return made;
}

// ---- references that a function returns: what the tests do to one is done over there when it ends
template <class T, bool = std::is_class<T>::value && !std::is_final<T>::value> struct Ref {
    using Assign = std::function<void(const T&)>;
    T value;
    Assign assign;
    operator const T&() const { return value; }
    template <class U> T operator=(const U& x) && { assign(value = x); return value; }
    template <class U> Ref& operator=(const U& x) & { value = x; return *this; }
    T operator=(const Ref& x) && { assign(value = x.value); return value; }
    Ref(T x, Assign f) : value(std::move(x)), assign(std::move(f)) {}
    Ref(const Ref&) = default;
#define WAVECODER_CHANGES(OP) \
    template <class U> T operator OP(const U& x) && { assign(value OP x); return value; } \
    template <class U> Ref& operator OP(const U& x) & { value OP x; return *this; }
    WAVECODER_CHANGES(+=) WAVECODER_CHANGES(-=) WAVECODER_CHANGES(*=) WAVECODER_CHANGES(/=) WAVECODER_CHANGES(%=)
    WAVECODER_CHANGES(|=) WAVECODER_CHANGES(&=) WAVECODER_CHANGES(^=) WAVECODER_CHANGES(<<=) WAVECODER_CHANGES(>>=)
#undef WAVECODER_CHANGES
    T operator++() && { assign(++value); return value; }
    T operator--() && { assign(--value); return value; }
    T operator++(int) && { T old = value; assign(++value); return old; }
    T operator--(int) && { T old = value; assign(--value); return old; }
    Ref& operator++() & { ++value; return *this; }
    Ref& operator--() & { --value; return *this; }
    T operator++(int) & { return value++; }
    T operator--(int) & { return value--; }
};
template <class T> struct Ref<T, true> : T {
    std::function<void(const T&)> wavecoder_assign;
    T wavecoder_before;
    Ref(T x, std::function<void(const T&)> f) : T(x), wavecoder_assign(std::move(f)), wavecoder_before(std::move(x)) {}
    using T::operator=;
    Ref& operator=(const Ref& x) { static_cast<T&>(*this) = x; return *this; }
    Ref& operator=(const T& x) { static_cast<T&>(*this) = x; return *this; }
    ~Ref() {
        const T& now = *this;
        try { if (!equal_by(now, wavecoder_before, 1L)) wavecoder_assign(now); } catch (...) {}
    }
};

// ---- what a loop over an object goes through: a list, which stays where it is as long as the items are the same
template <class L> const L& items(const void* of, L now) {
    static auto& all = *new std::map<const void*, std::list<L>>;
    auto& seen = all[of];
    if (seen.empty() || !equal_by(seen.back(), now, 1L)) seen.push_back(std::move(now));
    return seen.back();
}
template <class L, class X> L items_of(const X& of) {
    X& x = const_cast<X&>(of);  // whose `begin` may be for loops that change its items
    L all;
    auto last = x.end();
    for (auto at = x.begin(); at != last; ++at) all.push_back(*at);
    return all;
}

}  // namespace wavecoder
