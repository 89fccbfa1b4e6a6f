// How long the event loop is ever kept busy: what a person at the window notices as a block.
#pragma once

#include <QElapsedTimer>
#include <QTimer>
#include <algorithm>
#include <ctime>

namespace app {

// The longest time that the thread which made it worked between two ticks of a timer. Time of the processor: what other threads and
// programs do on the machine meanwhile does not count, so that a busy machine shows the same. longest_wall_ms() is what a clock says.
class BlockWatch {
public:
    BlockWatch() {
        QObject::connect(&timer_, &QTimer::timeout, &timer_, [this] { look(); });
        timer_.setTimerType(Qt::PreciseTimer);
        wall_.start();
        timer_.start(1);
    }
    // With the turn of the event loop that goes on now.
    double longest_ms() { return look(), longest_; }
    double longest_wall_ms() { return look(), longest_wall_; }

private:
    static double worked_ms() {
#ifdef CLOCK_THREAD_CPUTIME_ID
        timespec now{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
#else
        return 1e3 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
#endif
    }
    void look() {
        const double now = worked_ms();
        longest_ = std::max(longest_, now - last_);
        longest_wall_ = std::max(longest_wall_, 1e-6 * static_cast<double>(wall_.nsecsElapsed()));
        wall_.restart();
        last_ = now;
    }

    QTimer timer_;
    QElapsedTimer wall_;
    double last_ = worked_ms(), longest_ = 0, longest_wall_ = 0;
};

}  // namespace app
