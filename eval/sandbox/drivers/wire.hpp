// Calls between the tests' process and the candidate's, over descriptor 4. Both sides know the types from the
// candidate's declaration; only the types below cross, and they have the standard library's own equality. In C++14 too:
// a program may use a name that C++17 took (std::data), and g++ takes the newer syntax in older modes.
#pragma once
#include <bits/stdc++.h>
#include <unistd.h>
#if __has_include(<boost/any.hpp>)
#include <boost/any.hpp>
typedef std::list<boost::any> list_any;
#endif
#if __has_include(<openssl/md5.h>)
#include <openssl/md5.h>
#endif

namespace wavecoder {

enum : int { PEER = 4, GONE = 90, MEMORY = 92 };
enum : unsigned char { VALUE, RAISED, NO_MEMORY };

struct Out {
    std::string bytes;
    void raw(const void* data, size_t size) { bytes.append(static_cast<const char*>(data), size); }
    void flush() {
        for (size_t at = 0; at < bytes.size();) {
            ssize_t n = ::write(PEER, bytes.data() + at, bytes.size() - at);
            if (n <= 0) ::_exit(GONE);
            at += n;
        }
        bytes.clear();
    }
};

struct In {
    char buffer[65536];
    size_t at = 0, end = 0;
    void raw(void* data, size_t size) {
        for (char* to = static_cast<char*>(data); size;) {
            if (at == end) {
                ssize_t n = ::read(PEER, buffer, sizeof buffer);
                if (n <= 0) ::_exit(GONE);
                at = 0, end = n;
            }
            size_t n = std::min(size, end - at);
            std::memcpy(to, buffer + at, n);
            at += n, to += n, size -= n;
        }
    }
    template <class T> T scalar() { T x; raw(&x, sizeof x); return x; }
};

inline In& in() { static In one; return one; }
inline Out& out() { static Out one; return one; }

template <class F, class T, size_t... N> decltype(auto) apply(F&& f, T& items, std::index_sequence<N...>) {
    return f(std::get<N>(items)...);
}
template <class F, class... T> decltype(auto) apply(F&& f, std::tuple<T...>& items) {
    return wavecoder::apply(f, items, std::index_sequence_for<T...>{});
}
template <class F, class... T> decltype(auto) apply(F&& f, const std::tuple<T...>& items) {
    return wavecoder::apply(f, items, std::index_sequence_for<T...>{});
}

template <class T, class = void> struct Wire;  // no definition: this type does not cross

template <class T> struct Wire<T, std::enable_if_t<std::is_arithmetic<T>::value>> {
    static void put(T x) { out().raw(&x, sizeof x); }
    static T get() {
        if constexpr (std::is_same<T, bool>::value) return in().scalar<unsigned char>() != 0;
        else return in().scalar<T>();
    }
};
template <> struct Wire<std::string> {
    static void put(const std::string& x) { Wire<size_t>::put(x.size()); out().raw(x.data(), x.size()); }
    static std::string get() {
        std::string x;
        for (size_t n = Wire<size_t>::get(); n; --n) x.push_back(in().scalar<char>());
        return x;
    }
};
template <class A, class B> struct Wire<std::pair<A, B>> {
    static void put(const std::pair<A, B>& x) { Wire<std::remove_const_t<A>>::put(x.first); Wire<B>::put(x.second); }
    static std::pair<A, B> get() { auto a = Wire<std::remove_const_t<A>>::get(); return {std::move(a), Wire<B>::get()}; }
};
template <class... T> struct Wire<std::tuple<T...>> {
    static void put(const std::tuple<T...>& x) { wavecoder::apply([](const T&... y) { (Wire<T>::put(y), ...); }, x); }
    static std::tuple<T...> get() { return std::tuple<T...>{Wire<T>::get()...}; }
};
#if __cplusplus >= 201703L
template <class T> struct Wire<std::optional<T>> {
    static void put(const std::optional<T>& x) { Wire<bool>::put(x.has_value()); if (x) Wire<T>::put(*x); }
    static std::optional<T> get() { return Wire<bool>::get() ? std::optional<T>(Wire<T>::get()) : std::nullopt; }
};
#endif
template <class C> struct Container {
    using Item = typename C::value_type;
    static void put(const C& x) {
        Wire<size_t>::put(x.size());
        for (const auto& y : x) Wire<Item>::put(y);
    }
    static C get() {
        C x;
        for (size_t n = Wire<size_t>::get(); n; --n) x.insert(x.end(), Wire<Item>::get());
        return x;
    }
};
template <class T> struct Wire<std::vector<T>> : Container<std::vector<T>> {};
template <class T> struct Wire<std::list<T>> : Container<std::list<T>> {};
template <class T> struct Wire<std::deque<T>> : Container<std::deque<T>> {};
template <class T> struct Wire<std::set<T>> : Container<std::set<T>> {};
template <class T> struct Wire<std::unordered_set<T>> : Container<std::unordered_set<T>> {};
template <class K, class V> struct Wire<std::map<K, V>> : Container<std::map<K, V>> {};
template <class K, class V> struct Wire<std::unordered_map<K, V>> : Container<std::unordered_map<K, V>> {};
template <class T, size_t N> struct Wire<std::array<T, N>> {
    static void put(const std::array<T, N>& x) { for (const auto& y : x) Wire<T>::put(y); }
    static std::array<T, N> get() { std::array<T, N> x; for (auto& y : x) y = Wire<T>::get(); return x; }
};

#if __has_include(<boost/any.hpp>)
template <class... T> struct AnyOf {
    static void put(const boost::any& x) {
        unsigned char kind = 0, found = 0;
        ((++kind, x.type() == typeid(T) ? (found = kind, Wire<unsigned char>::put(kind),
                                           Wire<T>::put(boost::any_cast<T>(x)), 0) : 0), ...);
        if (!found) Wire<unsigned char>::put(0);
    }
    static boost::any get() {
        unsigned char wanted = Wire<unsigned char>::get(), kind = 0;
        boost::any x;
        ((++kind == wanted ? (x = Wire<T>::get(), 0) : 0), ...);
        return x;
    }
};
template <> struct Wire<boost::any> : AnyOf<int, double, float, bool, char, long, long long, std::string,
                                            std::vector<int>, std::vector<double>, std::vector<std::string>> {};
#endif

template <class T> using Plain = std::remove_cv_t<std::remove_reference_t<T>>;

template <class T> struct IsChangeable
    : std::integral_constant<bool, std::is_lvalue_reference<T>::value && !std::is_const<std::remove_reference_t<T>>::value> {};

// The candidate's side: read the arguments that a function takes, call it, answer.
template <class R, class... A, class F> void answer(F function) {
    std::tuple<Plain<A>...> arguments{Wire<Plain<A>>::get()...};
    Out made;
    std::swap(made, out());
    try {
        Wire<unsigned char>::put(VALUE);
        if constexpr (std::is_void<R>::value) wavecoder::apply([&](auto&... x) { function(static_cast<A&&>(x)...); }, arguments);
        else Wire<Plain<R>>::put(wavecoder::apply([&](auto&... x) -> R { return function(static_cast<A&&>(x)...); }, arguments));
    } catch (const std::bad_alloc&) {
        out().bytes.assign(1, char(NO_MEMORY));
        return out().flush();
    } catch (...) {
        out().bytes.assign(1, char(RAISED));
    }
    wavecoder::apply([](auto&... x) {
        (void)std::initializer_list<int>{(IsChangeable<A>::value ? (Wire<Plain<A>>::put(x), 0) : 0)...};
    }, arguments);
    out().flush();
}

// The tests' side: call it over there; references that may change are changed here too.
template <class... A> struct Call {
    template <class R> static Plain<R> to(unsigned char number, A... arguments) {
        Wire<unsigned char>::put(number);
        (Wire<Plain<A>>::put(arguments), ...);
        out().flush();
        unsigned char status = Wire<unsigned char>::get();
        if (status == NO_MEMORY) ::_exit(MEMORY);
        if (status != VALUE) {
            changed(arguments...);
            throw std::runtime_error("the candidate threw an exception");
        }
        if constexpr (std::is_void<R>::value) changed(arguments...);
        else { Plain<R> value = Wire<Plain<R>>::get(); changed(arguments...); return value; }
    }
    static void changed(std::remove_reference_t<A>&... arguments) {
        (void)std::initializer_list<int>{[&] {
            if constexpr (IsChangeable<A>::value)
                arguments = Wire<Plain<A>>::get();
            return 0;
        }()...};
    }
};

}  // namespace wavecoder
