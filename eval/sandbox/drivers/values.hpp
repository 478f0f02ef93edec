// How the standard library's types are written and read: numbers, texts, pairs, containers, pointers that own.
// `wire.hpp` includes it where its own part ends on which these rest.
#pragma once
namespace wavecoder {
template <class T> struct Wire<T, std::enable_if_t<std::is_arithmetic<T>::value>> {
    static void put(T x) { out().raw(&x, sizeof x); }
    static T get() {
        if constexpr (std::is_same<T, bool>::value) return in().scalar<unsigned char>() != 0;
        else return in().scalar<T>();
    }
};
template <class C> struct Wire<std::basic_string<C>> {
    static void put(const std::basic_string<C>& x) { Wire<size_t>::put(x.size()); out().raw(x.data(), x.size() * sizeof(C)); }
    static std::basic_string<C> get() {
        std::basic_string<C> x;
        for (size_t n = Wire<size_t>::get(); n; --n) x.push_back(in().scalar<C>());
        return x;
    }
};
template <> struct Wire<const char*> {  // what it points to stays until the process ends
    static void put(const char* x) { Wire<bool>::put(x != nullptr); if (x) Wire<std::string>::put(x); }
    static const char* get() { return Wire<bool>::get() ? (new std::string(Wire<std::string>::get()))->c_str() : nullptr; }
};
template <class T> struct Wire<std::complex<T>> {
    static void put(const std::complex<T>& x) { Wire<T>::put(x.real()); Wire<T>::put(x.imag()); }
    static std::complex<T> get() { T real = Wire<T>::get(); return {real, Wire<T>::get()}; }
};
template <size_t N> struct Wire<std::bitset<N>> {
    static void put(const std::bitset<N>& x) { Wire<std::string>::put(x.to_string()); }
    static std::bitset<N> get() { return std::bitset<N>(Wire<std::string>::get()); }
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
template <> struct Wire<std::string_view> {
    static void put(std::string_view x) { Wire<std::string>::put(std::string(x)); }
    static std::string_view get() { return *new std::string(Wire<std::string>::get()); }
};
template <> struct Wire<std::monostate> {
    static void put(std::monostate) {}
    static std::monostate get() { return {}; }
};
template <class... T> struct Wire<std::variant<T...>> {
    using V = std::variant<T...>;
    static void put(const V& x) {
        Wire<size_t>::put(x.index());
        std::visit([](const auto& y) { Wire<std::decay_t<decltype(y)>>::put(y); }, x);
    }
    template <size_t N = 0> static V at(size_t n) {
        if constexpr (N < sizeof...(T)) return n == N ? V(std::in_place_index<N>, Wire<std::variant_alternative_t<N, V>>::get()) : at<N + 1>(n);
        else ::_exit(GONE);
    }
    static V get() { return at(Wire<size_t>::get()); }
};
#endif
template <class P> struct Owner {
    using T = typename P::element_type;
    static void put(const P& x) { Wire<bool>::put(bool(x)); if (x) Wire<T>::put(*x); }
    static P get() { return Wire<bool>::get() ? P(new T(Wire<T>::get())) : P(); }
};
template <class T> struct Wire<std::unique_ptr<T>> : Owner<std::unique_ptr<T>> {};
template <class T> struct Wire<std::shared_ptr<T>> : Owner<std::shared_ptr<T>> {};
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
template <class... X> struct Wire<std::vector<X...>> : Container<std::vector<X...>> {};
template <class... X> struct Wire<std::list<X...>> : Container<std::list<X...>> {};
template <class... X> struct Wire<std::deque<X...>> : Container<std::deque<X...>> {};
template <class... X> struct Wire<std::set<X...>> : Container<std::set<X...>> {};
template <class... X> struct Wire<std::unordered_set<X...>> : Container<std::unordered_set<X...>> {};
template <class... X> struct Wire<std::multiset<X...>> : Container<std::multiset<X...>> {};
template <class... X> struct Wire<std::unordered_multiset<X...>> : Container<std::unordered_multiset<X...>> {};
template <class... X> struct Wire<std::map<X...>> : Container<std::map<X...>> {};
template <class... X> struct Wire<std::unordered_map<X...>> : Container<std::unordered_map<X...>> {};
template <class... X> struct Wire<std::multimap<X...>> : Container<std::multimap<X...>> {};
template <class... X> struct Wire<std::unordered_multimap<X...>> : Container<std::unordered_multimap<X...>> {};
template <class Q> struct Adaptor {
    struct Opened : Q { static const typename Q::container_type& of(const Q& q) { return q.*&Opened::c; } };
    static void put(const Q& x) { Wire<typename Q::container_type>::put(Opened::of(x)); }
    static Q get() {
        Q x;
        auto items = Wire<typename Q::container_type>::get();
        for (auto& item : items) x.push(std::move(item));
        return x;
    }
};
template <class... X> struct Wire<std::stack<X...>> : Adaptor<std::stack<X...>> {};
template <class... X> struct Wire<std::queue<X...>> : Adaptor<std::queue<X...>> {};
template <class... X> struct Wire<std::priority_queue<X...>> : Adaptor<std::priority_queue<X...>> {};
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
}  // namespace wavecoder
