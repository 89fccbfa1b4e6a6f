#include "gpu/io/pending_writes.h"

#include <chrono>
#include <exception>
#include <mutex>
#include <utility>

namespace gpu {
namespace {

struct Left {
    std::string path;
    std::shared_future<void> write;
};

struct Writes {
    std::mutex mutex;
    std::vector<Left> left;     // those of std::async are waited for where this is destroyed, at the end of the process
};

Writes& writes() {
    static Writes all;
    return all;
}

std::vector<Left> known() {
    const std::lock_guard lock(writes().mutex);
    return writes().left;
}

}  // namespace

void leave_write(std::string path, std::shared_future<void> write) {
    const std::lock_guard lock(writes().mutex);
    writes().left.push_back({std::move(path), std::move(write)});
}

std::vector<std::string> pending_writes() {
    std::vector<std::string> paths;
    for (const Left& one : known())
        if (one.write.wait_for(std::chrono::seconds(0)) != std::future_status::ready) paths.push_back(one.path);
    return paths;
}

void wait_for_writes() {
    for (const Left& one : known()) one.write.wait();
}

std::vector<FailedWrite> failed_writes() {
    std::vector<Left> all;
    {
        const std::lock_guard lock(writes().mutex);
        all.swap(writes().left);
    }
    std::vector<FailedWrite> failed;
    for (const Left& one : all) {
        try {
            one.write.get();
        } catch (const Error& error) {
            failed.push_back({one.path, error.what(), error.code()});
        } catch (const std::exception& error) {
            failed.push_back({one.path, error.what(), ErrorCode::Failure});
        }
    }
    return failed;
}

}  // namespace gpu
