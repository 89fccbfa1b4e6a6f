// Who is where in a sweep that other machines compute: which cells are done, which are out, and which go out again.
//
// Cells go out in chunks of `per_job` neighbours, which a job computes one after the other; a submission is one way out
// of some chunks, by its number, counted from 1. Nothing here knows Slurm or files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace app {

class SweepLedger {
public:
    // `retries`: further tries of a cell after one that failed.
    SweepLedger(std::size_t cells, std::size_t per_job, int retries);

    std::size_t cells() const { return cells_.size(); }
    std::size_t chunks() const { return active_.size(); }
    std::size_t chunk_of(std::size_t cell) const { return cell / per_job_; }
    // First and one after the last cell.
    std::pair<std::size_t, std::size_t> cells_of(std::size_t chunk) const;

    // --- what happens ---
    void submitted(std::size_t chunk, std::uint64_t submission);
    // A cell's result came in, from whichever submission, 0: from before. `final`: no other try would end otherwise.
    // Returns whether the cell is over by it: done, or failed for good. One that was done stays so.
    bool answered(std::size_t cell, std::uint64_t submission, bool ok, bool final = false);
    // A job is over and some of its cells have no result. The first of them is who it was at: that one's try counts as failed
    // (all of them with `final`), the others go out again without loss. Returns the cells that failed for good by it.
    std::vector<std::size_t> lost(std::size_t chunk, bool final);
    // The same where nobody is to blame: its cells go out again without loss.
    void released(std::size_t chunk) { active_[chunk] = 0; }

    // --- what to do ---
    std::vector<std::size_t> due() const;       // chunks with cells to compute that are not out
    std::vector<std::size_t> active() const;    // chunks that are out, with cells to wait for
    std::uint64_t submission_of(std::size_t chunk) const { return active_[chunk]; }  // 0: not out
    // The cells of a chunk that are not over and have not been answered by the submission that is out.
    std::vector<std::size_t> open_cells(std::size_t chunk) const;
    bool over() const { return left_ == 0; }

    std::size_t done() const { return done_; }
    std::size_t failed() const { return cells_.size() - left_ - done_; }
    std::size_t retried() const { return retried_; }
    bool is_done(std::size_t cell) const { return cells_[cell].state == State::Done; }
    bool is_failed(std::size_t cell) const { return cells_[cell].state == State::Failed; }
    int tries(std::size_t cell) const { return cells_[cell].failures; }

private:
    enum class State { Open, Done, Failed };
    struct Entry {
        State state = State::Open;
        int failures = 0;
        std::uint64_t answered = 0;  // the last submission that said something
    };
    bool fail(std::size_t cell, bool final);
    void close_if_answered(std::size_t chunk);

    std::size_t per_job_;
    int retries_;
    std::vector<Entry> cells_;
    std::vector<std::uint64_t> active_;  // by chunk
    std::size_t left_, done_ = 0, retried_ = 0;
};

}  // namespace app
