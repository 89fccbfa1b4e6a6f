#include "app/cli/run_cells.h"

#include <exception>
#include <mutex>
#include <thread>

namespace app {
namespace {

class CellRuns {
public:
    CellRuns(std::vector<Cell>& cells, const std::function<void(std::size_t)>& finished) : cells_(cells), finished_(finished), over_(cells.size()) {}

    // Runs cells that nobody has begun, until there are none. Of one thread.
    void work(const nodes::RunOptions& options) {
        try {
            for (auto cell = take(); cell < cells_.size(); cell = take()) {
                run_cell(cells_[cell], options);
                end(cell);
            }
        } catch (...) {
            const std::lock_guard lock(mutex_);
            stopped_ = true;
            if (!thrown_) thrown_ = std::current_exception();
        }
    }

    bool whole() const {
        if (thrown_) std::rethrow_exception(thrown_);
        return !stopped_;
    }

private:
    std::size_t take() {
        const std::lock_guard lock(mutex_);
        return stopped_ ? cells_.size() : next_++;
    }

    void end(std::size_t cell) {
        const std::lock_guard lock(mutex_);
        if (cells_[cell].result.status == nodes::RunStatus::Cancelled)
            stopped_ = true;
        else
            over_[cell] = true;
        for (; told_ < cells_.size() && over_[told_]; ++told_) finished_(told_);
    }

    std::vector<Cell>& cells_;
    const std::function<void(std::size_t)>& finished_;
    std::mutex mutex_;
    std::vector<bool> over_;
    std::size_t next_ = 0, told_ = 0;
    bool stopped_ = false;
    std::exception_ptr thrown_;
};

}  // namespace

bool run_cells(std::vector<Cell>& cells, const nodes::RunOptions& options, const std::function<void(std::size_t)>& finished) {
    CellRuns runs(cells, finished);
    // A single cell has all devices, for its branches.
    if (cells.size() < 2 || options.devices.size() < 2) {
        runs.work(options);
        return runs.whole();
    }
    const auto work_on = [&](std::size_t device) {
        nodes::RunOptions own = options;
        own.devices = {options.devices[device]};
        runs.work(own);
    };
    {
        std::vector<std::jthread> others;
        for (std::size_t device = 1; device < options.devices.size(); ++device) others.emplace_back(work_on, device);
        work_on(0);
    }
    return runs.whole();
}

}  // namespace app
