#include <atomic>
#include <thread>

#include "gpu/base/cancel.h"
#include "gpu/base/error.h"
#include "gpu/base/format.h"
#include "gpu/base/log.h"
#include "gpu/base/span.h"
#include "gpu/base/switches.h"
#include "gpu/run/host/parallel.h"
#include "tests/support/test.h"

using namespace gpu;

class BaseTest : public QObject {
    Q_OBJECT
private slots:
    void format_fills_in_order() {
        QCOMPARE(format("{} of {}", 3, "four"), std::string("3 of four"));
        QCOMPARE(format("{} and {}", 1), std::string("1 and "));
        QCOMPARE(format("none", 1), std::string("none"));
    }

    void an_error_tells_where_it_came_through() {
        Error error(ErrorCode::BadFile, "read {}: expected a header, got {} bytes", "a.safetensors", 3);
        error.in("node load").in("graph");
        QCOMPARE(std::string(error.what()), std::string("read a.safetensors: expected a header, got 3 bytes\n  in node load\n  in graph"));
        QCOMPARE(exit_code(error.code()), 4);
    }

    void every_switch_has_help() {
        QVERIFY(switch_help().size() >= 10);
        for (const SwitchHelp& help : switch_help()) QVERIFY2(!help.help.empty() && !help.type.empty(), help.name.c_str());
    }

    void a_scope_puts_its_switch_back() {
        const bool before = switches().fuse;
        {
            const ScopedSwitch scope(&Switches::fuse, !before);
            QCOMPARE(switches().fuse, !before);
        }
        QCOMPARE(switches().fuse, before);
    }

    void host_kernels_stop_between_their_parts() {
        const CancelToken cancel;
        std::atomic<int> done = 0;
        const auto work = [&](std::int64_t, int) {
            if (++done == 10) cancel.cancel();
        };
        parallel_for(100, work);      // nobody's scope: all of them
        QCOMPARE(done.load(), 100);
        const CancelToken other;
        const CancelScope scope(other);
        std::atomic<int> begun = 0;
        const auto tenth_cancels = [&](std::int64_t, int) {
            const int mine = ++begun;
            if (mine == 10) other.cancel();
            while (mine > 10 && !other.cancelled()) std::this_thread::yield();      // begun before the cancel came: one for each other thread
        };
        QVERIFY_EXCEPTION_THROWN(parallel_for(100000, tenth_cancels), Cancelled);
        QVERIFY2(begun < 10 + parallel_threads(), "no part begins after a cancel");
    }

    void bytes_take_suffixes() {
        QCOMPARE(parse_bytes("1500", "x"), std::uint64_t(1500));
        QCOMPARE(parse_bytes("64K", "x"), std::uint64_t(65536));
        QCOMPARE(parse_bytes("2.5g", "x"), std::uint64_t(5) << 29);
        for (const char* wrong : {"", "M", "12Q", "-1", "1MB", "nan", "1e300"}) {
            try {
                parse_bytes(wrong, "switch X");
                QFAIL(wrong);
            } catch (const Error& error) {
                QCOMPARE(error.code(), ErrorCode::Usage);
                QVERIFY(error.message().find("switch X") == 0);
            }
        }
    }

    void check_lists_whole_words() {
        const ScopedSwitch scope(&Switches::check, std::string("nan,oracle"));
        QVERIFY(switches().checks("nan") && switches().checks("oracle") && !switches().checks("na"));
    }

    void log_levels_go_by_area() {
        const ScopedSwitch scope(&Switches::log, std::string("*:error,plan:debug"));
        QVERIFY(log_enabled("plan", LogLevel::Debug));
        QVERIFY(!log_enabled("vulkan", LogLevel::Warning));
    }

    void spans_nest_in_time() {
        start_tracing();
        {
            const Span outer("test", "outer");
            const Span inner("test", "inner");
        }
        const std::vector<SpanRecord> spans = take_spans();
        QCOMPARE(spans.size(), 2u);
        QCOMPARE(spans[0].name, std::string("inner"));
        QVERIFY(spans[1].start_ns <= spans[0].start_ns && spans[1].length_ns >= spans[0].length_ns);
    }
};

HEDDLE_TEST(base, BaseTest)
#include "base.moc"
