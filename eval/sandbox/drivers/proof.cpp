// Tests that are data: each call is made twice, and a letter is written for each. In C++14 too.
#include <bits/stdc++.h>
using namespace std;
template <class T, class = void> struct Same {
    static bool of(const T& a, const T& b) { return a == b; }
};
template <class T> struct Same<T, enable_if_t<is_floating_point<T>::value>> {
    static bool whole(T x) { return sizeof(T) >= sizeof(double) && trunc(x) == x && fabs(x) < 9007199254740992.0; }
    static bool of(T a, T b) {
        if (whole(a) && whole(b)) return a == b;
        return a == b || fabs(a - b) <= max(T(1e-12), T(sizeof(T) < sizeof(double) ? 1e-6 : 1e-9) * fabs(b));
    }
};
template <class C> struct SameItems {
    static bool of(const C& a, const C& b) {
        if (a.size() != b.size()) return false;
        auto one = a.begin();
        for (auto other = b.begin(); other != b.end(); ++one, ++other)
            if (!Same<typename C::value_type>::of(*one, *other)) return false;
        return true;
    }
};
template <class T> struct Same<vector<T>> : SameItems<vector<T>> {};
template <class T> struct Same<list<T>> : SameItems<list<T>> {};
template <class T> struct Same<deque<T>> : SameItems<deque<T>> {};
template <class K, class V> struct Same<map<K, V>> : SameItems<map<K, V>> {};
template <class A, class B> struct Same<pair<A, B>> {
    static bool of(const pair<A, B>& a, const pair<A, B>& b) {
        return Same<remove_const_t<A>>::of(a.first, b.first) && Same<B>::of(a.second, b.second);
    }
};
template <class... T> struct Same<tuple<T...>> {
    static bool of(const tuple<T...>& a, const tuple<T...>& b) { return all(a, b, index_sequence_for<T...>{}); }
    template <size_t... N> static bool all(const tuple<T...>& a, const tuple<T...>& b, index_sequence<N...>) {
        bool same = true;
        (void)initializer_list<int>{(same = same && Same<T>::of(get<N>(a), get<N>(b)), 0)...};
        return same;
    }
};
template <class K, class V> struct Same<unordered_map<K, V>> {
    static bool of(const unordered_map<K, V>& a, const unordered_map<K, V>& b) {
        return Same<map<K, V>>::of(map<K, V>(a.begin(), a.end()), map<K, V>(b.begin(), b.end()));
    }
};
#if __cplusplus >= 201703L
template <class T> struct Same<optional<T>> {
    static bool of(const optional<T>& a, const optional<T>& b) { return a && b ? Same<T>::of(*a, *b) : !a && !b; }
};
#endif
template <class T> using Bare = remove_cv_t<remove_reference_t<T>>;
// WAVECODER_TYPES
static bool moved;
static void kept(bool same) { moved = moved || !same; }
template <class T> void run(int place, T test) {
    const char* letter = "E";
    moved = false;
    try { letter = test() ? (test() ? (moved ? "M" : "P") : "V") : "F"; } catch (...) {}
    printf("\nWAVECODER_MARK %d %s\n", place, letter);
    fflush(stdout);
}
int main() {
    // WAVECODER_TESTS
}
