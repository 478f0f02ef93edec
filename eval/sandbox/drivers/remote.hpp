// Objects of a C++ candidate that are no data: they stay in its process, and the tests hold stand-ins with their numbers.
// Both programs include it, or neither. WAVECODER_SIDE: 0 in the tests' program, 1 in the candidate's.
#pragma once
#include "references.hpp"

namespace wavecoder {

struct Number { size_t id; };
template <class... T> struct Types {};
template <class = void> struct All;  // the candidate's remote types: `list`; and its thrown data: `thrown`
template <class T> struct Tag;       // the place of a type in them
template <class T> struct IsRemote : std::false_type {};
unsigned char objects_call();
enum : unsigned char { COPY, MOVE, ASSIGN, MOVE_ASSIGN, DESTROY, TEXT, NOTHING };
template <class T> using Known = typename All<std::enable_if_t<(sizeof(Tag<T>) > 0)>>::list;

#if WAVECODER_SIDE == 0
struct Handle;
inline std::map<size_t, Handle*>& peers() { static auto& all = *new std::map<size_t, Handle*>; return all; }
inline std::vector<size_t>& late() { static auto& all = *new std::vector<size_t>; return all; }  // gone while an answer was read
inline std::string ask(unsigned char verb, unsigned char tag, size_t a, size_t b, size_t* made = nullptr) {
    using Ask = Call<unsigned char, unsigned char, size_t, size_t>;
    while (!late().empty()) {
        size_t gone = late().back();
        late().pop_back();
        Ask::to<std::pair<size_t, std::string>>(objects_call(), DESTROY, 0, gone, 0);
    }
    auto answer = Ask::to<std::pair<size_t, std::string>>(objects_call(), verb, tag, a, b);
    if (made) *made = answer.first;
    return answer.second;
}
struct Handle {
    size_t wavecoder_id = 0;
    bool wavecoder_filled = false;  // whether its fields have come
    bool wavecoder_loose = false;   // whether it is on the heap and nobody owns it
    Handle() = default;
    explicit Handle(Number n) { wavecoder_hold(n.id); }
    Handle(const Handle&) = delete;
    virtual ~Handle() {
        if (!wavecoder_id) return;
        peers().erase(wavecoder_id);
        if (in().reading) late().push_back(wavecoder_id);
        else ask(DESTROY, 0, wavecoder_id, 0);
    }
    void wavecoder_hold(size_t n) { if ((wavecoder_id = n)) peers()[n] = this; }
};
inline std::map<size_t, std::weak_ptr<Handle>>& shared() { static auto& all = *new std::map<size_t, std::weak_ptr<Handle>>; return all; }
inline size_t number_of(const Handle& x) { return x.wavecoder_id; }
template <class T> Number copied(const T& x) { Number n; ask(COPY, Tag<T>::value, number_of(x), 0, &n.id); return n; }
template <class T> Number moved(T& x) {
    Number n{x.wavecoder_id};
    if (in().reading) x.wavecoder_id = 0;
    else ask(MOVE, Tag<T>::value, n.id, 0, &n.id);
    return n;
}
template <class T> void assigned(T& x, const T& y, bool moves) {
    if (&x == &y) return;
    if (!in().reading) ask(moves ? MOVE_ASSIGN : ASSIGN, Tag<T>::value, number_of(x), number_of(y));
    else {
        late().push_back(x.wavecoder_id);
        x.wavecoder_hold(y.wavecoder_id);
        const_cast<T&>(y).wavecoder_id = 0;
    }
}
inline void refresh() { if (!in().reading) ask(NOTHING, 0, 0, 0); }
inline const char* told(const Handle& x) { return (new std::string(ask(TEXT, 0, number_of(x), 0)))->c_str(); }
template <class... X> Handle* stand_in(size_t n, unsigned char tag, Types<X...>) {
    auto found = peers().find(n);
    if (found != peers().end()) return found->second;
    Handle* made = nullptr;
    (void)std::initializer_list<int>{(Tag<X>::value == tag ? (made = new X(Number{n}), 0) : 0)...};
    if (!made) ::_exit(GONE);
    made->wavecoder_loose = true;
    return made;
}
template <class T> T* get_remote() {
    size_t n = Wire<size_t>::get();
    return n ? dynamic_cast<T*>(stand_in(n, Wire<unsigned char>::get(), Known<T>())) : nullptr;
}
template <class T> void put_remote(const T* x) { Wire<size_t>::put(x ? number_of(*x) : 0); }
template <class T> T* own_remote() {  // for a pointer that ends it: no candidate may name one that another ends
    T* x = get_remote<T>();
    if (x && !x->wavecoder_loose) ::_exit(GONE);
    if (x) x->wavecoder_loose = false;
    return x;
}
#else
struct Entry {
    void* at;
    unsigned char tag;
    bool given;                  // whether the candidate destroys it
    std::shared_ptr<void> held;  // what the tests' shared pointer keeps
};
inline std::map<size_t, Entry>& entries() { static auto& all = *new std::map<size_t, Entry>; return all; }
using Numbers = std::map<std::pair<void*, unsigned char>, size_t>;
inline Numbers& numbers() { static auto& all = *new Numbers; return all; }
inline Entry& entry(size_t n) {
    auto found = entries().find(n);
    if (found == entries().end()) ::_exit(GONE);
    return found->second;
}
inline size_t enter(void* at, unsigned char tag, bool fresh) {
    static size_t next = 0;
    auto& number = numbers()[{at, tag}];
    if (fresh || !number || !entries().count(number)) number = ++next, entries()[number] = Entry{at, tag, !fresh, {}};
    return number;
}
template <class T, class... X> std::pair<void*, unsigned char> whole(T* x, Types<X...>) {
    void* at = x;
    unsigned char tag = Tag<T>::value;
    if constexpr (std::is_polymorphic<T>::value)
        (void)std::initializer_list<int>{
            (typeid(*x) == typeid(X) ? (at = dynamic_cast<void*>(x), tag = Tag<X>::value, 0) : 0)...};
    return {at, tag};
}
template <class T> size_t put_remote(const T* x, bool fresh = false) {
    if (!x) return Wire<size_t>::put(0), 0;
    auto known = whole(const_cast<T*>(x), Known<T>());
    size_t n = enter(known.first, known.second, fresh);
    Wire<size_t>::put(n), Wire<unsigned char>::put(known.second);
    return n;
}
template <class U, class T> U* as(void* at) {
    if constexpr (std::is_convertible<T*, U*>::value) return static_cast<T*>(at);
    else return nullptr;
}
template <class U, class... X> U* as(const Entry& e, Types<X...>) {
    U* found = nullptr;
    (void)std::initializer_list<int>{(Tag<X>::value == e.tag ? (found = as<U, X>(e.at), 0) : 0)...};
    if (!found) ::_exit(GONE);
    return found;
}
template <class T> T* at_number(size_t n) { return n ? as<T>(entry(n), Known<T>()) : nullptr; }
template <class T> T* get_remote() { return at_number<T>(Wire<size_t>::get()); }
template <class T> T* duplicate(T& x) {
    if constexpr (std::is_abstract<T>::value) ::_exit(GONE);
    else if constexpr (std::is_copy_constructible<T>::value) return new T(x);
    else if constexpr (std::is_move_constructible<T>::value) return new T(std::move(x));
    else ::_exit(GONE);
}
template <class T> size_t put_back(T* x) { return enter(x, Tag<T>::value, true); }
template <class T> size_t act(unsigned char verb, T& x, size_t b) {
    if (verb == COPY) return put_back(duplicate(x));
    if (verb == MOVE) {
        if constexpr (!std::is_abstract<T>::value && std::is_move_constructible<T>::value) return put_back(new T(std::move(x)));
        else return put_back(duplicate(x));
    }
    if constexpr (std::is_copy_assignable<T>::value) if (verb == ASSIGN) return x = *at_number<T>(b), 0;
    if constexpr (std::is_move_assignable<T>::value) if (verb == MOVE_ASSIGN) return x = std::move(*at_number<T>(b)), 0;
    ::_exit(GONE);
}
template <class T> void end_of(void* at) { if constexpr (std::is_destructible<T>::value) delete static_cast<T*>(at); }
template <class... X> void destroy(size_t n, Types<X...>) {
    auto found = entries().find(n);
    if (found == entries().end()) return;
    Entry gone = found->second;
    if (gone.held) return found->second.held.reset();
    if (gone.given || freed().count(static_cast<char*>(gone.at))) return;
    numbers().erase({gone.at, gone.tag});
    entries().erase(found);
    (void)std::initializer_list<int>{(Tag<X>::value == gone.tag ? (end_of<X>(gone.at), 0) : 0)...};
}
template <class X> void told(void* at, std::string& text) {
    if constexpr (std::is_convertible<X*, std::exception*>::value) text = static_cast<std::exception*>(static_cast<X*>(at))->what();
}
template <class... X> std::pair<size_t, std::string> act_any(unsigned char verb, unsigned char tag, size_t a, size_t b, Types<X...> all) {
    std::pair<size_t, std::string> answer;
    if (verb == NOTHING) return answer;
    if (verb == DESTROY) return destroy(a, all), answer;
    if (verb == TEXT) (void)std::initializer_list<int>{(Tag<X>::value == entry(a).tag ? (told<X>(entry(a).at, answer.second), 0) : 0)...};
    else (void)std::initializer_list<int>{(Tag<X>::value == tag ? (answer.first = act(verb, *at_number<X>(a), b), 0) : 0)...};
    return answer;
}
template <class T, class... A> T* make(A&&... a) {
    if constexpr (std::is_abstract<T>::value) ::_exit(GONE);
    else if constexpr (std::is_constructible<T, A...>::value) return new T(std::forward<A>(a)...);
    else ::_exit(GONE);
}
template <class T> T&& taken(T& x) { return std::move(x); }
// The tests gave away what such an argument owns.
template <class T, class D> void give(const std::unique_ptr<T, D>& x) { if (x) entry(numbers()[whole(x.get(), Known<T>())]).given = true; }
template <class C> auto give(const C& x) -> decltype(x.begin(), void()) { for (auto& y : x) give(y); }
template <class C> C&& given(C&& x) { give(x); return std::forward<C>(x); }
#endif

// ---- how they cross: by number
template <class T> struct Wire<T*, std::enable_if_t<IsRemote<std::remove_cv_t<T>>::value>> {
    static void put(T* x) { put_remote<std::remove_cv_t<T>>(x); }
    static T* get() { return get_remote<std::remove_cv_t<T>>(); }
};
template <class T> struct Remote {  // a reference
    T* at = nullptr;
    Remote() = default;
    Remote(const T& x) : at(const_cast<T*>(&x)) {}
};
template <class T> struct Wire<Remote<T>> {
    static void put(const Remote<T>& x) { put_remote<T>(x.at); }
    static Remote<T> get() { Remote<T> x; if (!(x.at = get_remote<T>())) ::_exit(GONE); return x; }
};
template <class T> struct Made {  // a new object, which is the tests' to destroy
#if WAVECODER_SIDE
    T* at;
#else
    Number number;
#endif
};
template <class T> struct Wire<Made<T>> {
#if WAVECODER_SIDE
    static void put(const Made<T>& x) { put_remote<T>(x.at, true); }
#else
    static Made<T> get() { size_t n = Wire<size_t>::get(); Wire<unsigned char>::get(); return {Number{n}}; }
#endif
};
template <class T> struct RemoteValue {
#if WAVECODER_SIDE
    static void put(const T& x) { put_remote<T>(duplicate(const_cast<T&>(x)), true); }
    static T get() {
        T& x = *get_remote<T>();
        if constexpr (std::is_copy_constructible<T>::value) return T(x);
        else return T(std::move(x));
    }
#else
    static void put(const T& x) { put_remote<T>(&x); }
    static T get() { return T(Wire<Made<T>>::get().number); }
#endif
};
template <class T> struct RemoteUnique {
    static void put(const std::unique_ptr<T>& x) {
#if WAVECODER_SIDE
        if (size_t n = put_remote<T>(x.get())) entry(n).given = false;
#else
        put_remote<T>(x.get());
#endif
    }
#if WAVECODER_SIDE
    static std::unique_ptr<T> get() { return std::unique_ptr<T>(get_remote<T>()); }
#else
    static std::unique_ptr<T> get() { return std::unique_ptr<T>(own_remote<T>()); }
#endif
};
template <class T> struct RemoteShared {
    using P = std::shared_ptr<T>;
#if WAVECODER_SIDE
    static void put(const P& x) { if (size_t n = put_remote<T>(x.get())) entry(n).held = x; }
    static P get() {
        size_t n = Wire<size_t>::get();
        if (!n) return P();
        Entry& e = entry(n);
        T* x = as<T>(e, Known<T>());
        if (!e.held) e.held = std::is_destructible<T>::value ? std::shared_ptr<void>(P(x)) : std::shared_ptr<void>(x, [](void*) {});
        return P(e.held, x);
    }
#else
    static void put(const P& x) {
        if (x) shared()[number_of(*x)] = x;
        put_remote<T>(x.get());
    }
    static P get() {
        T* x = get_remote<T>();
        if (!x) return P();
        auto& known = shared()[number_of(*x)];
        if (auto held = known.lock()) return P(held, x);
        if (!x->wavecoder_loose) ::_exit(GONE);
        x->wavecoder_loose = false;
        P made(x);
        known = made;
        return made;
    }
#endif
};
template <class T, class = void> struct OwnsRemote : std::false_type {};
template <class T> struct OwnsRemote<std::unique_ptr<T>> : IsRemote<T> {};
template <class T> struct OwnsRemote<T, std::enable_if_t<OwnsRemote<typename T::value_type>::value>> : std::true_type {};
template <class T> struct Lasts<T, std::enable_if_t<OwnsRemote<T>::value>> : std::true_type {};

#if WAVECODER_SIDE == 0
template <class T> void let_go(std::unique_ptr<T>& x) { if (x) x.release()->wavecoder_loose = true; }
template <class C> auto let_go(C& x) -> decltype(x.begin(), void()) { for (auto& y : x) let_go(y); }
template <class A> struct Given<A, std::enable_if_t<OwnsRemote<Plain<A>>::value && !std::is_lvalue_reference<A>::value>> {
    static void let(std::remove_reference_t<A>& x) { let_go(x); }
};
#endif

// ---- public fields: the tests' copies follow every message
template <class X> void read_fields(X* at, bool gone) {
    alignas(X) static unsigned char nowhere[sizeof(X)];
    Wire<X>::each(at ? *at : *reinterpret_cast<X*>(nowhere), [gone](auto& y) {
        if (!gone) return read_field(y, false);
        using F = std::remove_cv_t<std::remove_reference_t<decltype(y)>>;
        alignas(F) unsigned char raw[sizeof(F)];
        read_field(*reinterpret_cast<F*>(raw), true);
    });
}
template <class X> void put_fields(size_t n, X& x) {
    if (!Wire<X>::FIELDS) return;
    Wire<size_t>::put(n), Wire<unsigned char>::put(Tag<X>::value);
    Wire<X>::each(x, [](auto& y) { put_field(y); });
}
#if WAVECODER_SIDE
inline bool is_gone(const Entry& e) { return freed().count(static_cast<char*>(e.at)) != 0; }
template <class... X> void put_all_fields(Types<X...>) {
    for (auto& each : entries())
        if (!is_gone(each.second))
            (void)std::initializer_list<int>{
                (Tag<X>::value == each.second.tag ? (put_fields(each.first, *static_cast<X*>(each.second.at)), 0) : 0)...};
    Wire<size_t>::put(0);
}
template <class X> X* with_fields(size_t n) {
    auto found = entries().find(n);
    return found == entries().end() || is_gone(found->second) ? nullptr : static_cast<X*>(found->second.at);
}
#else
template <class... X> void put_all_fields(Types<X...>) {
    auto all = peers();
    for (auto& each : all)
        (void)std::initializer_list<int>{
            (each.second->wavecoder_filled && typeid(*each.second) == typeid(X) ? (put_fields(each.first, dynamic_cast<X&>(*each.second)), 0) : 0)...};
    Wire<size_t>::put(0);
}
template <class X> X* with_fields(size_t n) {
    auto found = peers().find(n);
    if (found == peers().end()) return nullptr;
    found->second->wavecoder_filled = true;
    return dynamic_cast<X*>(found->second);
}
#endif
template <class X> void get_fields(size_t n) {
    X* x = with_fields<X>(n);
    read_fields(x, x == nullptr);
}
template <class... X> void get_all_fields(Types<X...>) {
    while (size_t n = Wire<size_t>::get()) {
        unsigned char tag = Wire<unsigned char>::get();
        (void)std::initializer_list<int>{(Tag<X>::value == tag ? (get_fields<X>(n), 0) : 0)...};
    }
}

// ---- what the candidate throws of its own types, the last declared first
enum : unsigned char { OWN_OBJECT = 20, OWN_DATA = 21 };
template <class X> bool put_if_thrown() {
    try { throw; }
    catch (X& e) {
        std::string text;
        if constexpr (std::is_convertible<X*, std::exception*>::value) text = static_cast<std::exception&>(e).what();
        out().again(RAISED);
        Wire<unsigned char>::put(IsRemote<X>::value ? OWN_OBJECT : OWN_DATA);
        Wire<std::string>::put(text);
#if WAVECODER_SIDE
        if constexpr (IsRemote<X>::value) put_remote<X>(duplicate(e), true);
        else
#endif
        if constexpr (!IsRemote<X>::value) Wire<unsigned char>::put(Tag<X>::value), Wire<X>::put(e);
        return true;
    } catch (...) {
        return false;
    }
}
inline bool put_thrown(Types<>) { return false; }
template <class X, class... Rest> bool put_thrown(Types<X, Rest...>) { return put_thrown(Types<Rest...>()) || put_if_thrown<X>(); }
#if WAVECODER_SIDE == 0
template <class X> void throw_data(std::function<void()>& f) { f = [x = Wire<X>::get()] { throw x; }; }
template <class... X, class... Y> std::function<void()> get_thrown(unsigned char kind, Types<X...>, Types<Y...>) {
    size_t n = kind == OWN_OBJECT ? Wire<size_t>::get() : 0;
    unsigned char tag = Wire<unsigned char>::get();
    std::function<void()> f;
    if (kind == OWN_OBJECT) (void)std::initializer_list<int>{(Tag<X>::value == tag ? (f = [n] { throw X(Number{n}, 0); }, 0) : 0)...};
    else (void)std::initializer_list<int>{(Tag<Y>::value == tag ? (throw_data<Y>(f), 0) : 0)...};
    return f;
}
#endif

// ---- what is done around each message
#if WAVECODER_SIDE
template <class L = void> void serve_objects() {
    answer<std::pair<size_t, std::string>, unsigned char, unsigned char, size_t, size_t>(
        [](unsigned char verb, unsigned char tag, size_t a, size_t b) { return act_any(verb, tag, a, b, typename All<L>::list()); });
}
#endif
template <class L = void> struct Registered {
    static void put() { put_all_fields(typename All<L>::list()), put_pending(); }
    static void get() { get_all_fields(typename All<L>::list()), get_pending(); }
    static bool raised() { return put_thrown(typename All<L>::list()) || put_thrown(typename All<L>::thrown()); }
    Registered() {
        hooks().put = put, hooks().get = get;
#if WAVECODER_SIDE
        hooks().raised = raised;
#else
        hooks().raise = [](unsigned char kind) { return get_thrown(kind, typename All<L>::list(), typename All<L>::thrown()); };
#endif
    }
};

}  // namespace wavecoder
