// Calls for memory ahead of its use. Several streams, a block of each in turn, are more than a processor foresees, and it waits where too much is
// called for at once: so a few lines of the cache at a time, before each step of what is computed meanwhile. A line that is to be written is
// fetched like one that is read.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "gpu/base/divide.h"

namespace gpu {

class Ahead {
public:
    static constexpr std::int64_t line = 16;   // floats

    void clear() { ranges_ = done_ = lines_ = 0, share_ = 0; }
    // `count` floats; those beyond the eighth range are left to chance.
    void add(const float* from, std::int64_t count, bool write) {
        if (ranges_ == at_.size()) return;
        at_[ranges_++] = {from, from + count, write};
        lines_ += static_cast<std::size_t>(ceil_divide(count, line));
    }
    std::size_t ranges() const { return ranges_; }
    // All of it in so many calls.
    void spread(std::size_t calls) { share_ = static_cast<std::int64_t>((lines_ + calls - 1) / std::max<std::size_t>(calls, 1)); }

    // Always inlined, since GCC takes a function that does nothing else for one without effect and drops its calls.
    [[gnu::always_inline]] inline void call() {
        for (std::int64_t left = share_; left > 0 && done_ < ranges_;) {
            Range& range = at_[done_];
            const float* const last = std::min(range.end, range.from + left * line);
            left -= ceil_divide(last - range.from, line);
            if (range.write)
                for (; range.from < last; range.from += line) __builtin_prefetch(range.from, 1, 2);
            else
                for (; range.from < last; range.from += line) __builtin_prefetch(range.from, 0, 2);
            if (range.from >= range.end) ++done_;
        }
    }

private:
    struct Range {
        const float *from, *end;
        bool write;
    };
    std::array<Range, 8> at_;
    std::size_t ranges_ = 0, done_ = 0, lines_ = 0;
    std::int64_t share_ = 0;
};

}  // namespace gpu
