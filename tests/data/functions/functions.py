"""A dozen documented functions: raw code that never changes, so that what a model makes of it does not either."""


def running_mean(values, window):
    """Mean of each window of consecutive values."""
    if window < 1:
        raise ValueError("window must be positive")
    means = []
    for end in range(window, len(values) + 1):
        means.append(sum(values[end - window : end]) / window)
    return means


def to_snake_case(name):
    """Turn a CamelCase name into snake_case."""
    letters = []
    for letter in name:
        if letter.isupper() and letters:
            letters.append("_")
        letters.append(letter.lower())
    return "".join(letters)


def merge_intervals(intervals):
    """Merge overlapping (start, end) intervals and return them in order."""
    merged = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def count_words(text):
    """Count how often each word occurs in a text, ignoring case."""
    counts = {}
    for word in text.lower().split():
        counts[word] = counts.get(word, 0) + 1
    return counts


def is_prime(number):
    """Tell whether a number is prime by trial division."""
    if number < 2:
        return False
    divisor = 2
    while divisor * divisor <= number:
        if number % divisor == 0:
            return False
        divisor += 1
    return True


def transpose(matrix):
    """Swap rows and columns of a matrix given as a list of lists."""
    columns = []
    for index in range(len(matrix[0])):
        columns.append([row[index] for row in matrix])
    return columns


def parse_key_values(line):
    """Parse "a=1;b=2" into a dictionary of strings."""
    pairs = {}
    for part in line.split(";"):
        key, separator, value = part.partition("=")
        if separator:
            pairs[key.strip()] = value.strip()
    return pairs


def longest_common_prefix(words):
    """Longest string that all words begin with."""
    prefix = words[0] if words else ""
    for word in words[1:]:
        while not word.startswith(prefix):
            prefix = prefix[:-1]
    return prefix


def binary_search(items, wanted):
    """Position of a wanted item in a sorted list, or -1 when it is not there."""
    low, high = 0, len(items) - 1
    while low <= high:
        middle = (low + high) // 2
        if items[middle] == wanted:
            return middle
        if items[middle] < wanted:
            low = middle + 1
        else:
            high = middle - 1
    return -1


def flatten(nested):
    """Flatten a list of lists of any depth into one list."""
    flat = []
    for item in nested:
        if isinstance(item, list):
            flat.extend(flatten(item))
        else:
            flat.append(item)
    return flat
