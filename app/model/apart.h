// Work in a thread of its own that somebody waits for, such as the reading of a file. Meanwhile the window paints, runs report and
// timers tick; clicks and keys wait until it is done, so that they meet what came of it.
#pragma once

#include <QEventLoop>
#include <QThread>
#include <future>
#include <memory>

namespace app {

// What `work()` returns, or throws.
template <typename Work>
auto apart(Work work) {
    std::packaged_task<decltype(work())()> task(std::move(work));
    auto result = task.get_future();
    QEventLoop loop;
    const std::unique_ptr<QThread> thread(QThread::create([&] { task(); }));
    QObject::connect(thread.get(), &QThread::finished, &loop, &QEventLoop::quit);
    thread->start();
    loop.exec(QEventLoop::ExcludeUserInputEvents);
    thread->wait();      // the program may have been told to end
    return result.get();
}

}  // namespace app
