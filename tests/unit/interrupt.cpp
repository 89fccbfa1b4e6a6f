// Signals come to a thread of their own, whoever else is there.
#include "app/cli/interrupt.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "tests/support/test.h"

namespace {

std::atomic<int> handled = 0, elsewhere = 0;
std::atomic<pid_t> workers[2] = {};

void note(int) {
    for (const std::atomic<pid_t>& worker : workers)
        if (::gettid() == worker) ++elsewhere;
    ++handled;
}

}  // namespace

class InterruptTest : public QObject {
    Q_OBJECT
private slots:
    void handlers_run_in_a_thread_of_their_own() {
        const app::SignalThread signal_thread;
        struct sigaction action {}, before {};
        action.sa_handler = note;
        QCOMPARE(::sigaction(SIGUSR1, &action, &before), 0);
        workers[0] = ::gettid();
        std::atomic<bool> over = false;
        std::thread busy([&] {
            workers[1] = ::gettid();
            while (!over) {}
        });
        while (workers[1] == 0) {}
        for (int i = 0; i < 200; ++i) {
            const int seen = handled;
            QCOMPARE(::kill(::getpid(), SIGUSR1), 0);
            while (handled == seen) std::this_thread::yield();
        }
        over = true;
        busy.join();
        ::sigaction(SIGUSR1, &before, nullptr);
        QCOMPARE(elsewhere.load(), 0);
    }

    void the_first_signal_cancels() {
        const gpu::CancelToken token;
        const app::SignalThread signal_thread;
        const app::InterruptScope scope(token);
        QCOMPARE(::kill(::getpid(), SIGINT), 0);
        QTRY_VERIFY(token.cancelled());
        QCOMPARE(scope.signal(), SIGINT);
    }

    // What was blocked before is blocked, and nothing else.
    void the_mask_is_what_it_was() {
        sigset_t before, after;
        pthread_sigmask(SIG_SETMASK, nullptr, &before);
        { const app::SignalThread signal_thread; }
        pthread_sigmask(SIG_SETMASK, nullptr, &after);
        for (const int number : {SIGINT, SIGTERM, SIGUSR1, SIGHUP}) QCOMPARE(sigismember(&after, number), sigismember(&before, number));
    }
};

HEDDLE_TEST(interrupt, InterruptTest)
#include "interrupt.moc"
