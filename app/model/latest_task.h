// Work in a worker thread of which only the newest counts: a slider that is dragged asks for many pictures and wants one.
#pragma once

#include <QObject>
#include <QThreadPool>
#include <atomic>
#include <utility>

namespace app {

class LatestTask : public QObject {
public:
    explicit LatestTask(QObject* parent = nullptr) : QObject(parent) { pool_.setMaxThreadCount(1); }
    ~LatestTask() override { finish(); }

    // Runs `work()` in the worker thread and hands its result to `then` in this object's thread, unless a newer task or
    // drop() came meanwhile. Tasks that wait are skipped; nothing may be thrown.
    template <typename Work, typename Then>
    void start(Work work, Then then) {
        const int number = ++newest_;
        busy_ = true;
        pool_.start([this, number, work = std::move(work), then = std::move(then)]() mutable {
            if (number != newest_) return;
            auto result = work();
            // The pool ends before this object does; the queued call dies with it.
            QMetaObject::invokeMethod(
                this,
                [this, number, result = std::move(result), then = std::move(then)]() mutable {
                    if (number != newest_) return;
                    busy_ = false;
                    then(std::move(result));
                },
                Qt::QueuedConnection);
        });
    }
    void drop() {
        ++newest_;
        busy_ = false;
    }
    // The same, and waits for a task that goes.
    void finish() {
        drop();
        pool_.waitForDone();
    }
    bool busy() const { return busy_; }  // a result is on its way

private:
    QThreadPool pool_;
    std::atomic<int> newest_ = 0;
    bool busy_ = false;
};

}  // namespace app
