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
enum : unsigned char { VALUE, RAISED, NO_MEMORY, CALLS, ASKS = 255 };  // a call's number is CALLS or more

struct Hooks {
    void (*put)() = nullptr, (*get)() = nullptr;                    // what follows a message (objects.hpp)
    bool (*raised)() = nullptr;                                     // what is thrown of the candidate's types (remote.hpp)
    std::function<void()> (*raise)(unsigned char) = nullptr;
};
inline Hooks& hooks() { static Hooks one; return one; }
inline void read_rest() { if (hooks().get) hooks().get(); }

struct Out {
    std::string bytes;
    std::vector<std::function<void()>> pending;  // objects that the message names and that have not been written yet
    std::set<const void*> seen;
    void again(unsigned char status) { bytes.assign(1, char(status)), pending.clear(), seen.clear(); }
    void raw(const void* data, size_t size) { bytes.append(static_cast<const char*>(data), size); }
    void flush() {
        if (hooks().put) hooks().put();
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
    int reading = 0;  // whether values of a message are being read: nothing may be asked then
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
struct Reading {
    Reading() { ++in().reading; }
    ~Reading() { --in().reading; }
};
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
template <class T> T read() { Reading now; return Wire<T>::get(); }
}  // namespace wavecoder
#include "values.hpp"
namespace wavecoder {
template <class T> using Plain = std::remove_cv_t<std::remove_reference_t<T>>;

template <class T> struct IsChangeable
    : std::integral_constant<bool, std::is_lvalue_reference<T>::value && !std::is_const<std::remove_reference_t<T>>::value> {};

// What is put in the place of a list as long as before keeps the list's memory, as others may point into it.
template <class T> void put_in(T& x, T&& value) { x = std::move(value); }
template <class... X> void put_in(std::vector<X...>& x, std::vector<X...>&& value) {
    if (x.size() == value.size()) std::move(value.begin(), value.end(), x.begin());
    else x = std::move(value);
}

// What of a call's arguments comes back when it ends: references that may change; more in objects.hpp.
template <class A, class = void> struct Back {
    static void put(const Plain<A>& x) { if constexpr (IsChangeable<A>::value) Wire<Plain<A>>::put(x); }
    static void get(std::remove_reference_t<A>& x) { if constexpr (IsChangeable<A>::value) put_in(x, Wire<Plain<A>>::get()); }
};
// Whether objects of this type are never destroyed here, as other objects may point to what they own.
template <class T, class = void> struct Lasts : std::false_type {};
template <class... T> constexpr bool any_lasts() {
    for (bool each : {false, Lasts<T>::value...}) if (each) return true;
    return false;
}

// What the tests no longer own when they have called (remote.hpp).
template <class A, class = void> struct Given { static void let(std::remove_reference_t<A>&) {} };

struct Block {
    char* at;
    size_t size;
    void (*back)(Block&) = nullptr;  // writes or reads what of it comes back from a call (objects.hpp)
};
inline std::vector<Block>& blocks() { static std::vector<Block> all; return all; }
inline void blocks_back() {
    for (size_t n = 0; n < blocks().size(); ++n)
        if (blocks()[n].back) blocks()[n].back(blocks()[n]);
}
struct Blocks {  // memory that pointers of one call point to; a call within it has its own
    std::vector<Block> held;
    Blocks() { held.swap(blocks()); }
    ~Blocks() { held.swap(blocks()); }
};

// Functions stay where they are: the other side gets one that asks for them by number.
// An exception crosses as the nearest class of the library's with its text; a number or text that is thrown, as itself.
struct Thrown : std::exception {
    std::string text;
    explicit Thrown(const std::string& said) : text(said) {}
    const char* what() const noexcept override { return text.c_str(); }
};

inline void put_raised() {
    if (hooks().raised && hooks().raised()) return;
    unsigned char kind = 0;
    std::string text = "the candidate threw an exception";
    try { throw; }
    catch (const std::invalid_argument& e) { kind = 1, text = e.what(); }
    catch (const std::out_of_range& e) { kind = 2, text = e.what(); }
    catch (const std::domain_error& e) { kind = 3, text = e.what(); }
    catch (const std::length_error& e) { kind = 4, text = e.what(); }
    catch (const std::logic_error& e) { kind = 5, text = e.what(); }
    catch (const std::overflow_error& e) { kind = 6, text = e.what(); }
    catch (const std::underflow_error& e) { kind = 7, text = e.what(); }
    catch (const std::range_error& e) { kind = 8, text = e.what(); }
    catch (const std::runtime_error& e) { kind = 9, text = e.what(); }
    catch (const std::exception& e) { kind = 10, text = e.what(); }
    catch (int n) { kind = 11, text = std::to_string(n); }
    catch (const char* said) { kind = 12, text = said; }
    catch (const std::string& said) { kind = 13, text = said; }
    catch (...) {}
    out().again(RAISED);
    Wire<unsigned char>::put(kind);
    Wire<std::string>::put(text);
}

struct Raised {
    unsigned char kind = Wire<unsigned char>::get();
    std::string text = Wire<std::string>::get();
    std::function<void()> own = kind >= 20 && hooks().raise ? hooks().raise(kind) : nullptr;
    [[noreturn]] void again() const {
        if (own) own();
        switch (kind) {
            case 1: throw std::invalid_argument(text);
            case 2: throw std::out_of_range(text);
            case 3: throw std::domain_error(text);
            case 4: throw std::length_error(text);
            case 5: throw std::logic_error(text);
            case 6: throw std::overflow_error(text);
            case 7: throw std::underflow_error(text);
            case 8: throw std::range_error(text);
            case 10: throw Thrown(text);
            case 11: throw std::atoi(text.c_str());
            case 12: throw static_cast<const char*>((new std::string(text))->c_str());
            case 13: throw text;
            default: throw std::runtime_error(text);
        }
    }
};

inline std::vector<std::function<void()>>& lent() { static std::vector<std::function<void()>> all; return all; }

inline void serve_lent() {
    size_t number = Wire<size_t>::get();
    if (number >= lent().size()) ::_exit(GONE);
    auto function = lent()[number];
    function();
}

// What the other side answers; it may ask for functions of this side's first, and these may call the candidate's.
using Server = void (*)(unsigned char);
inline Server& server() { static Server one = nullptr; return one; }
inline void answer_next() { server()(Wire<unsigned char>::get()); }
inline unsigned char reply() {
    for (;;) {
        unsigned char status = Wire<unsigned char>::get();
        if (status == ASKS) serve_lent();
        else if (status >= CALLS && server()) server()(status);
        else return status;
    }
}

template <class R, class... A> struct Wire<std::function<R(A...)>> {
    using F = std::function<R(A...)>;
    static void put(const F& f) {
        Wire<bool>::put(bool(f));
        if (!f) return;
        Wire<size_t>::put(lent().size());
        auto kept = std::make_shared<F>(f);  // one object, whose state goes on from call to call
        lent().push_back([kept] { answer_lent(*kept); });
    }
    static void answer_lent(const F& f) {
        std::tuple<Plain<A>...> given = [] { Reading now; return std::tuple<Plain<A>...>{Wire<Plain<A>>::get()...}; }();
        read_rest();
        Out held;
        std::swap(held, out());
        try {
            Wire<unsigned char>::put(VALUE);
            if constexpr (std::is_void<R>::value) wavecoder::apply([&](auto&... x) { f(static_cast<A&&>(x)...); }, given);
            else Wire<Plain<R>>::put(wavecoder::apply([&](auto&... x) -> R { return f(static_cast<A&&>(x)...); }, given));
        } catch (...) {
            put_raised();
        }
        wavecoder::apply([](auto&... x) {
            (void)std::initializer_list<int>{(Back<A>::put(x), 0)...};
        }, given);
        out().flush();
        std::swap(held, out());
    }
    static F get() {
        if (!Wire<bool>::get()) return F();
        size_t number = Wire<size_t>::get();
        return [number](A... a) -> R {
            Out held;
            std::swap(held, out());
            Wire<unsigned char>::put(ASKS);
            Wire<size_t>::put(number);
            (Wire<Plain<A>>::put(a), ...);
            out().flush();
            std::swap(held, out());
            if (reply() != VALUE) {
                Raised raised;
                changed(a...);
                raised.again();
            }
            if constexpr (std::is_void<R>::value) changed(a...);
            else { Plain<R> value = read<Plain<R>>(); changed(a...); return value; }
        };
    }
    static void changed(std::remove_reference_t<A>&... a) {
        (void)std::initializer_list<int>{(Back<A>::get(a), 0)...};
        read_rest();
    }
};

// The candidate's side: read the arguments that a function takes, call it, answer.
template <class T> struct Kept {  // destroyed at its end, if it may be
    T* at;
    ~Kept() { delete at; }
};
template <class R, class... A, class F> void answer(F function) {
    Blocks call;
    constexpr bool lasts = any_lasts<R, Plain<A>...>();
    auto* all = new std::tuple<Plain<A>...>{Wire<Plain<A>>::get()...};
    auto& arguments = *all;
    Kept<std::tuple<Plain<A>...>> kept{lasts ? nullptr : all};
    read_rest();
    Out made;
    std::swap(made, out());
    try {
        Wire<unsigned char>::put(VALUE);
        if constexpr (std::is_void<R>::value) wavecoder::apply([&](auto&... x) { function(static_cast<A&&>(x)...); }, arguments);
        else if constexpr (lasts && !std::is_reference<R>::value) Wire<R>::put(*new R(wavecoder::apply([&](auto&... x) -> R { return function(static_cast<A&&>(x)...); }, arguments)));
        else Wire<Plain<R>>::put(wavecoder::apply([&](auto&... x) -> R { return function(static_cast<A&&>(x)...); }, arguments));
    } catch (const std::bad_alloc&) {
        out().again(NO_MEMORY);
        out().flush();
        return std::swap(made, out());
    } catch (...) {
        put_raised();
    }
    wavecoder::apply([](auto&... x) {
        (void)std::initializer_list<int>{(Back<A>::put(x), 0)...};
    }, arguments);
    blocks_back();
    out().flush();
    std::swap(made, out());
}

// The tests' side: call it over there; references that may change are changed here too.
template <class... A> struct Call {
    template <class R> static Plain<R> to(unsigned char number, A... arguments) {
        Blocks call;
        Out held;
        std::swap(held, out());
        Wire<unsigned char>::put(number);
        (Wire<Plain<A>>::put(arguments), ...);
        out().flush();
        std::swap(held, out());
        (Given<A>::let(arguments), ...);
        unsigned char status = reply();
        if (status == NO_MEMORY) ::_exit(MEMORY);
        if (status != VALUE) {
            Raised raised;
            changed(arguments...);
            raised.again();
        }
        if constexpr (std::is_void<R>::value) changed(arguments...);
        else { Plain<R> value = read<Plain<R>>(); changed(arguments...); return value; }
    }
    static void changed(std::remove_reference_t<A>&... arguments) {
        Reading now;
        (void)std::initializer_list<int>{(Back<A>::get(arguments), 0)...};
        blocks_back();
        read_rest();
    }
};

}  // namespace wavecoder
