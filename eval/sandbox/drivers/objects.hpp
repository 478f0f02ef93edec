// What a C++ candidate's own classes and pointers need, beside wire.hpp. Both programs include it, or neither.
// WAVECODER_SIDE: 0 in the tests' program, 1 in the candidate's.
#pragma once
#include "wire.hpp"

namespace wavecoder {

template <class T> using Id = T;

// ---- memory: how long a block is, and whether it is still there
template <class T> struct Malloc {
    using value_type = T;
    Malloc() = default;
    template <class U> Malloc(const Malloc<U>&) {}
    T* allocate(size_t n) { return static_cast<T*>(std::malloc(n * sizeof(T))); }
    void deallocate(T* x, size_t) { std::free(x); }
    template <class U> bool operator==(const Malloc<U>&) const { return true; }
    template <class U> bool operator!=(const Malloc<U>&) const { return false; }
};
using Sizes = std::map<char*, size_t, std::less<char*>, Malloc<std::pair<char* const, size_t>>>;
inline Sizes& live() { static Sizes& all = *new (std::malloc(sizeof(Sizes))) Sizes; return all; }
inline Sizes& freed() { static Sizes& all = *new (std::malloc(sizeof(Sizes))) Sizes; return all; }

// The bytes from an address to the end of its block; nothing if it is in none that `new` made.
inline size_t bytes_behind(const void* x) {
    char* at = static_cast<char*>(const_cast<void*>(x));
    auto found = live().upper_bound(at);
    if (found == live().begin()) return 0;
    --found;
    return at < found->first + found->second ? found->first + found->second - at : 0;
}

// ---- objects by their fields
template <class T> struct Fields;
template <class T> struct IsFields : std::false_type {};  // true of the candidate's classes

template <class F> void put_field(const F& y) {
    if constexpr (std::is_array<F>::value) for (auto& z : y) put_field(z);
    else Wire<std::remove_cv_t<F>>::put(y);
}
template <class F> void read_field(F& y, bool fresh) {
    if constexpr (std::is_array<F>::value) for (auto& z : y) read_field(z, fresh);
    else {
        using P = std::remove_cv_t<F>;
        P* at = const_cast<P*>(std::addressof(y));
        P value = Wire<P>::get();
        if (!fresh) at->~P();
        new (static_cast<void*>(at)) P(std::move(value));
    }
}
template <class T> struct Fields {
    static void put(const T& x) { Wire<T>::each(const_cast<T&>(x), [](auto& y) { put_field(y); }); }
    static void fill(T& x, bool fresh) { Wire<T>::each(x, [fresh](auto& y) { read_field(y, fresh); }); }
    static T get() {
        alignas(T) unsigned char raw[sizeof(T)] = {};
        T* x = reinterpret_cast<T*>(raw);
        fill(*x, true);
        return std::move(*x);
    }
};
template <class T> struct Lasts<T, std::enable_if_t<IsFields<T>::value>> : std::true_type {};
template <class T> struct Enumerated {
    using U = std::underlying_type_t<T>;
    static void put(T x) { Wire<U>::put(static_cast<U>(x)); }
    static T get() { return static_cast<T>(Wire<U>::get()); }
};

template <class T> auto equal_by(const T& x, const T& y, int) -> decltype(bool(x == y)) { return x == y; }
template <class T> bool equal_by(const T& x, const T& y, long);
template <class T> bool same(const T& x, const T& y) {
    bool all = true;
    std::vector<void*> theirs;
    Wire<T>::each(const_cast<T&>(y), [&](auto& field) { theirs.push_back(&field); });
    size_t n = 0;
    Wire<T>::each(const_cast<T&>(x), [&](auto& field) {
        using F = std::remove_reference_t<decltype(field)>;
        F& other = *static_cast<F*>(theirs[n++]);
        if constexpr (std::is_array<F>::value) all = all && std::equal(std::begin(field), std::end(field), std::begin(other));
        else all = all && equal_by(field, other, 0);
    });
    return all;
}
template <class T> bool equal_by(const T& x, const T& y, long) {
    if constexpr (IsFields<T>::value) return same(x, y);
    else {
        Out held, one, two;
        std::swap(held, out());
        Wire<T>::put(x), std::swap(one, out()), Wire<T>::put(y), std::swap(two, out());
        std::swap(held, out());
        return one.bytes == two.bytes;
    }
}

// ---- objects that point to others: the same object on both sides has one number
inline std::map<unsigned char, void (*)()>& fillers() { static std::map<unsigned char, void (*)()> all; return all; }
template <class T> struct Graph {
    std::unordered_map<const void*, size_t> ids;
    std::unordered_map<size_t, T*> objects;
    std::set<size_t> blank;
    size_t next = 0;
    static Graph& one() { static Graph all; return all; }
    static void put(const T* x) {
        if (!x || freed().count(reinterpret_cast<char*>(const_cast<T*>(x)))) return Wire<size_t>::put(0);
        auto& id = one().ids[x];
        if (!id) id = (one().next += 2) + WAVECODER_SIDE, one().objects[id] = const_cast<T*>(x);
        Wire<size_t>::put(id);
        if (!out().seen.insert(x).second) return;
        out().pending.push_back([x, n = id] {
            Wire<unsigned char>::put(Wire<T>::TAG);
            Wire<size_t>::put(n);
            Wire<T>::put(*x);
        });
    }
    static T* get() {
        size_t id = Wire<size_t>::get();
        if (!id) return nullptr;
        fillers()[Wire<T>::TAG] = &fill;
        auto found = one().objects.find(id);
        if (found != one().objects.end()) return found->second;
        if (id % 2 == WAVECODER_SIDE) ::_exit(GONE);
        T* x = static_cast<T*>(::operator new(sizeof(T)));
        std::memset(static_cast<void*>(x), 0, sizeof(T));
        one().objects[id] = x, one().ids[x] = id, one().blank.insert(id);
        return x;
    }
    static void fill() {
        size_t id = Wire<size_t>::get();
        auto found = one().objects.find(id);
        if (found == one().objects.end()) ::_exit(GONE);
        Wire<T>::fill(*found->second, one().blank.erase(id) != 0);
    }
};
template <class T> struct Wire<T*, std::enable_if_t<IsFields<std::remove_cv_t<T>>::value>> {
    static void put(const T* x) { Graph<std::remove_cv_t<T>>::put(x); }
    static T* get() { return Graph<std::remove_cv_t<T>>::get(); }
};
inline void put_pending() {
    for (size_t n = 0; n < out().pending.size(); ++n) {
        auto write = out().pending[n];
        write();
    }
    Wire<unsigned char>::put(0);
    out().pending.clear(), out().seen.clear();
}
inline void get_pending() {
    while (unsigned char tag = Wire<unsigned char>::get()) {
        auto found = fillers().find(tag);
        if (found == fillers().end()) ::_exit(GONE);
        found->second();
    }
}
struct Hooked {
    Hooked() { hooks().put = put_pending, hooks().get = get_pending; }
};
static const Hooked hooked;

// Whether objects of a type hold pointers of that kind: they come back from every call.
template <class T, class = void> struct Linked : std::false_type {};
template <class T> struct Linked<T*, std::enable_if_t<IsFields<std::remove_cv_t<T>>::value>> : std::true_type {};
template <class T> struct Linked<T, std::enable_if_t<Linked<typename T::value_type>::value>> : std::true_type {};
template <class T> struct Linked<T, std::enable_if_t<IsFields<T>::value>> : std::true_type {};
template <class A> struct Back<A, std::enable_if_t<Linked<Plain<A>>::value>> {
    static void put(const Plain<A>& x) { Wire<Plain<A>>::put(x); }
    static void get(std::remove_reference_t<A>& x) {
        Plain<A> value = Wire<Plain<A>>::get();
        if constexpr (IsChangeable<A>::value) x = std::move(value);
    }
};

// ---- pointers to other data: blocks of memory, whose length the tests' side knows
template <class T> struct Span {
    T* at = nullptr;
    size_t size = 0;
    bool fresh = false;
    Span() = default;
    Span(std::nullptr_t) {}
    template <class U, size_t N> Span(U (&x)[N]) : at(x), size(N) {}
    template <class P, class = std::enable_if_t<std::is_pointer<P>::value && std::is_convertible<P, T*>::value>>
    Span(const P& x) : at(x) {
        size_t bytes = x ? bytes_behind(x) : 0;
        size = bytes ? bytes / sizeof(T) : x ? 1 : 0;
    }
};
inline bool block_of(const void* x, size_t& number, size_t& offset) {
    for (number = 0; number < blocks().size(); ++number) {
        auto& each = blocks()[number];
        offset = static_cast<const char*>(x) - each.at;
        if (x >= each.at && x <= each.at + each.size) return true;
    }
    return false;
}
template <class T> T* at_block() {  // number and offset as the other side says
    size_t number = Wire<size_t>::get(), offset = Wire<size_t>::get();
    if (number >= blocks().size() || offset > blocks()[number].size || offset % alignof(T)) ::_exit(GONE);
    return reinterpret_cast<T*>(blocks()[number].at + offset);
}
template <class T> T* new_block() {
    std::vector<std::remove_cv_t<T>>& items = *new std::vector<std::remove_cv_t<T>>;
    for (size_t n = Wire<size_t>::get(); n; --n) items.push_back(Wire<std::remove_cv_t<T>>::get());
    T* x = new std::remove_cv_t<T>[items.size() + 1]{};
    std::copy(items.begin(), items.end(), const_cast<std::remove_cv_t<T>*>(x));
    blocks().push_back({reinterpret_cast<char*>(const_cast<std::remove_cv_t<T>*>(x)), items.size() * sizeof(T)});
    return x;
}
template <class T> struct Memory {
    using V = std::remove_cv_t<T>;
    static void put(T* x, size_t size) {
        size_t number, offset;
        if (!x) return Wire<unsigned char>::put(0);
        if (block_of(x, number, offset)) {
            Wire<unsigned char>::put(2), Wire<size_t>::put(number), Wire<size_t>::put(offset);
            return;
        }
        Wire<unsigned char>::put(1), Wire<size_t>::put(size);
        for (size_t n = 0; n < size; ++n) Wire<V>::put(x[n]);
        blocks().push_back({reinterpret_cast<char*>(const_cast<V*>(x)), size * sizeof(T)});
    }
    static T* get(unsigned char& how) {
        how = Wire<unsigned char>::get();
        return how == 0 ? nullptr : how == 1 ? new_block<T>() : at_block<T>();
    }
};
template <class T> struct Wire<Span<T>> {
    static void put(const Span<T>& x) {
        Memory<T>::put(x.at, x.size);
    }
    static Span<T> get() {
        Span<T> x;
        unsigned char how;
        x.at = Memory<T>::get(how);
        x.fresh = how == 1;
        x.size = x.fresh ? blocks().back().size / sizeof(T) : 0;
        return x;
    }
};
template <class T> struct Back<Span<T>> {
    static void put(const Span<T>& x) {
        if constexpr (!std::is_const<T>::value) {
            Wire<size_t>::put(x.fresh ? x.size : 0);
            if (x.fresh) for (size_t n = 0; n < x.size; ++n) Wire<T>::put(x.at[n]);
        }
    }
    static void get(Span<T>& x) {
        if constexpr (!std::is_const<T>::value) {
            size_t size = Wire<size_t>::get();
            if (size > x.size) ::_exit(GONE);
            for (size_t n = 0; n < size; ++n) x.at[n] = Wire<T>::get();
        }
    }
};
template <class T> struct Pointer { T* at; };
template <class T> struct Wire<Pointer<T>> {
    static void put(const Pointer<T>& x) {
        size_t bytes = x.at ? bytes_behind(x.at) : 0, size = bytes ? bytes / sizeof(T) : 1;
        if constexpr (sizeof(T) == 1) if (x.at && !bytes) size = std::strlen(reinterpret_cast<const char*>(x.at)) + 1;
        Memory<T>::put(x.at, size);
    }
    static Pointer<T> get() { unsigned char how; return {Memory<T>::get(how)}; }
};

// ---- pointers to functions: a few of this side's that ask the other
template <class R, class... A> struct Wire<R (*)(A...)> {
    using F = std::function<R(A...)>;
    using P = R (*)(A...);
    enum { SLOTS = 16 };
    static F* slots() { static F all[SLOTS]; return all; }
    template <size_t N> static R at(A... a) { return slots()[N](std::forward<A>(a)...); }
    template <size_t... N> static P take(size_t n, std::index_sequence<N...>) {
        static P const all[] = {&Wire::template at<N>...};
        return all[n];
    }
    static void put(P f) { Wire<F>::put(f ? F(f) : F()); }
    static P get() {
        F f = Wire<F>::get();
        if (!f) return nullptr;
        static size_t used = 0;
        size_t n = used++ % SLOTS;
        slots()[n] = f;
        return take(n, std::make_index_sequence<SLOTS>{});
    }
};

}  // namespace wavecoder

#ifndef WAVECODER_OWN_NEW
inline void* wavecoder_new(size_t size) {
    void* x = std::malloc(size ? size : 1);
    if (!x) throw std::bad_alloc();
    wavecoder::live()[static_cast<char*>(x)] = size;
    wavecoder::freed().erase(static_cast<char*>(x));
    return x;
}
inline void wavecoder_delete(void* x) {
    if (!x) return;
    wavecoder::live().erase(static_cast<char*>(x));
    if (WAVECODER_SIDE) wavecoder::freed()[static_cast<char*>(x)] = 0;
    std::free(x);
}
void* operator new(size_t size) { return wavecoder_new(size); }
void* operator new[](size_t size) { return wavecoder_new(size); }
void operator delete(void* x) noexcept { wavecoder_delete(x); }
void operator delete[](void* x) noexcept { wavecoder_delete(x); }
void operator delete(void* x, size_t) noexcept { wavecoder_delete(x); }
void operator delete[](void* x, size_t) noexcept { wavecoder_delete(x); }
#endif
