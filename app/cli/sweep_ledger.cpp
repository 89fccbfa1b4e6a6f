#include "app/cli/sweep_ledger.h"

#include <algorithm>

namespace app {

SweepLedger::SweepLedger(std::size_t cells, std::size_t per_job, int retries)
    : per_job_(std::max<std::size_t>(1, per_job)), retries_(retries), cells_(cells), active_((cells + per_job_ - 1) / per_job_), left_(cells) {}

std::pair<std::size_t, std::size_t> SweepLedger::cells_of(std::size_t chunk) const {
    return {chunk * per_job_, std::min(cells_.size(), (chunk + 1) * per_job_)};
}

void SweepLedger::submitted(std::size_t chunk, std::uint64_t submission) {
    active_[chunk] = submission;
    for (const std::size_t cell : open_cells(chunk)) retried_ += cells_[cell].failures > 0;
}

bool SweepLedger::answered(std::size_t cell, std::uint64_t submission, bool ok, bool final) {
    Entry& entry = cells_[cell];
    if (entry.state == State::Done) return false;
    if (!ok && submission != active_[chunk_of(cell)]) return false;  // came late: this try was counted when it was lost
    entry.answered = std::max(entry.answered, submission);
    bool over = true;
    if (ok) {
        left_ -= entry.state == State::Open;
        ++done_;
        entry.state = State::Done;
    } else {
        over = entry.state == State::Open && fail(cell, final);
    }
    close_if_answered(chunk_of(cell));
    return over;
}

std::vector<std::size_t> SweepLedger::lost(std::size_t chunk, bool final) {
    std::vector<std::size_t> failed;
    for (const std::size_t cell : open_cells(chunk)) {
        if (fail(cell, final)) failed.push_back(cell);
        if (!final) break;
    }
    active_[chunk] = 0;
    return failed;
}

bool SweepLedger::fail(std::size_t cell, bool final) {
    Entry& entry = cells_[cell];
    ++entry.failures;
    if (!final && entry.failures <= retries_) return false;
    entry.state = State::Failed;
    --left_;
    return true;
}

void SweepLedger::close_if_answered(std::size_t chunk) {
    if (active_[chunk] != 0 && open_cells(chunk).empty()) active_[chunk] = 0;
}

std::vector<std::size_t> SweepLedger::open_cells(std::size_t chunk) const {
    std::vector<std::size_t> open;
    const auto [first, end] = cells_of(chunk);
    for (std::size_t cell = first; cell < end; ++cell)
        if (cells_[cell].state == State::Open && (active_[chunk] == 0 || cells_[cell].answered < active_[chunk])) open.push_back(cell);
    return open;
}

std::vector<std::size_t> SweepLedger::due() const {
    std::vector<std::size_t> chunks;
    for (std::size_t chunk = 0; chunk < active_.size(); ++chunk)
        if (active_[chunk] == 0 && !open_cells(chunk).empty()) chunks.push_back(chunk);
    return chunks;
}

std::vector<std::size_t> SweepLedger::active() const {
    std::vector<std::size_t> chunks;
    for (std::size_t chunk = 0; chunk < active_.size(); ++chunk)
        if (active_[chunk] != 0) chunks.push_back(chunk);
    return chunks;
}

}  // namespace app
