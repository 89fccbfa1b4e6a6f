// What is recorded, what is replayed and how work is cut into submissions.
#include <QDir>
#include <QTemporaryDir>

#include "gpu/base/cancel.h"
#include "gpu/base/span.h"
#include "gpu/base/switches.h"
#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "gpu/run/oracle.h"
#include "gpu/run/parts.h"
#include "gpu/run/schedule.h"
#include "gpu/vulkan/device.h"
#include "tests/support/op_cases.h"
#include "tests/support/submissions.h"
#include "tests/support/test.h"

using namespace gpu;

namespace {

// One sampling step of a made-up network: about `blocks` x 6 steps, a number that changes from call to call.
Tensor denoise(const Tensor& x, const Tensor& w, double sigma, int blocks) {
    Tensor h = x * (1 / (1 + sigma));
    for (int i = 0; i < blocks; ++i) {
        const Tensor r = silu(group_norm(h, 2, {}, {}));
        h = h + conv2d(softmax(r, 1) * r, w, {.pad = 1}) * 0.25;
    }
    return x + h * -sigma;
}

template <typename Run>
EvaluationCounters during(Run run) {
    const EvaluationCounters a = evaluation_counters();
    run();
    EvaluationCounters b = evaluation_counters();
    b.plans_made -= a.plans_made;
    b.plan_hits -= a.plan_hits;
    b.recordings -= a.recordings;
    b.recorded -= a.recorded;
    b.replays -= a.replays;
    b.submissions -= a.submissions;
    b.dispatches -= a.dispatches;
    b.uploads -= a.uploads;
    return b;
}

}  // namespace

class ReplayTest : public QObject {
    Q_OBJECT
private slots:
    void every_step_after_the_first_hits_the_plan() {
        const Tensor w = tests::random_tensor({8, 8, 3, 3}, 1, -0.2, 0.2);
        Tensor x = tests::random_tensor({1, 8, 8, 8}, 2);
        evaluate({x = denoise(x, w, 1.0, 30)});
        const EvaluationCounters c = during([&] {
            for (int i = 0; i < 5; ++i) evaluate({x = denoise(x, w, 0.9 - 0.1 * i, 30)});
        });
        QCOMPARE(c.plans_made, std::uint64_t(0));
        QCOMPARE(c.plan_hits, std::uint64_t(5));
        QCOMPARE(c.uploads, std::uint64_t(0));
    }

    void a_new_number_records_only_what_reads_it() {
        const ScopedSwitch no_host(&Switches::host, false);
        const ScopedSwitch alone(&Switches::serial, true);   // a list for every dispatch
        const Tensor w = tests::random_tensor({4, 4, 3, 3}, 1), x = tests::random_tensor({1, 4, 9, 9}, 2);
        const auto net = [&](double number) {
            Tensor h = x;
            for (int i = 0; i < 4; ++i) h = silu(conv2d(h, w, {.pad = 1}));
            return softmax(h, 1) * number;
        };
        for (int i = 0; i < 3; ++i) to_floats(net(1));
        const EvaluationCounters same = during([&] { to_floats(net(1)); });
        QCOMPARE(same.recordings, std::uint64_t(0));
        QCOMPARE(same.replays, std::uint64_t(1));
        const EvaluationCounters other = during([&] { to_floats(net(7)); });
        QVERIFY(other.recordings >= 1 && other.recordings < other.submissions);
        QCOMPARE(other.replays, std::uint64_t(0));
        const std::vector<float> one = to_floats(net(1)), seven = to_floats(net(7));
        for (std::size_t i = 0; i < one.size(); ++i) QVERIFY(std::abs(seven[i] - 7 * one[i]) < 1e-5f);
    }

    // In one submission, as on a GPU that takes little time for all of it.
    void a_few_steps_that_change_leave_the_others_recorded() {
        const ScopedSwitch no_host(&Switches::host, false);
        const ScopedSwitch long_slice(&Switches::slice, 10000);
        const Tensor w = tests::random_tensor({8, 8, 3, 3}, 1, -0.2, 0.2), x = tests::random_tensor({1, 8, 8, 8}, 2);
        for (const double sigma : {1.0, 0.9, 0.8, 0.7}) evaluate({denoise(x, w, sigma, 30)});
        std::vector<float> in_parts;
        const EvaluationCounters c = during([&] {
            const Tensor y = denoise(x, w, 0.6, 30);
            evaluate({y});
            in_parts = to_floats(y);
        });
        QCOMPARE(c.submissions, std::uint64_t(1));
        QVERIFY(c.dispatches > 100);
        QVERIFY2(c.recorded > 0 && c.recorded <= 4, qPrintable(QString::number(c.recorded)));
        const ScopedSwitch alone(&Switches::serial, true);
        const Tensor z = denoise(x, w, 0.6, 30);
        evaluate({z});
        QCOMPARE(to_floats(z), in_parts);
    }

    void changing_steps_become_parts() {
        const auto text = [](const ChangingSteps& steps) {
            std::string all;
            for (const StepPart& part : steps.parts()) all += std::to_string(part.first) + (part.changes ? "!" : "-") + std::to_string(part.last) + " ";
            return all;
        };
        ChangingSteps steps(10, 110);
        QCOMPARE(text(steps), std::string("10-110 "));
        QVERIFY(steps.note({10, 60}) && !steps.note({60}));
        QCOMPARE(text(steps), std::string("10!11 11-60 60!61 61-110 "));
        QVERIFY(steps.note({70}));                       // few steady ones between two that change
        QCOMPARE(text(steps), std::string("10!11 11-60 60!71 71-110 "));
        std::vector<std::size_t> most;
        for (std::size_t s = 10; s < 80; ++s) most.push_back(s);
        QVERIFY(!steps.note(most));                      // memory came to lie elsewhere
        QCOMPARE(text(steps), std::string("10!11 11-60 60!71 71-110 "));
        QCOMPARE(text(ChangingSteps(3, 5)), std::string("3-5 "));
    }

    void long_dispatches_are_cut() {
        const ScopedSwitch no_host(&Switches::host, false);
        const Tensor big = tests::random_tensor({1 << 20}, 3), a = tests::random_tensor({257, 300}, 4), b = tests::random_tensor({300, 263}, 5);
        const Tensor map = tests::random_tensor({1, 16, 61, 67}, 6), w = tests::random_tensor({24, 16, 3, 3}, 7);
        const Tensor rows = tests::random_tensor({700, 1200}, 8);
        const std::vector<std::function<Tensor()>> all = {
            [&] { return tanh(big) * 2.0 + big; }, [&] { return matmul(a, b); }, [&] { return conv2d(map, w, {.pad = 1}); },
            [&] { return softmax(rows, 1); }, [&] { return sum(big); }};
        for (const auto& make : all) {
            const ScopedSwitch long_slice(&Switches::slice, 1000);
            std::vector<double> whole, cut;
            const EvaluationCounters before = during([&] {
                const Tensor y = make();
                evaluate({y});
                whole = read_doubles(y.value());
            });
            const ScopedSwitch short_slice(&Switches::slice, 1);
            const EvaluationCounters after = during([&] {
                const Tensor y = make();
                evaluate({y});
                cut = read_doubles(y.value());
            });
            QVERIFY(cut == whole);
            QVERIFY(after.submissions >= before.submissions);
        }
    }

    void pieces_cover_a_dispatch_once() {
        Step step;
        step.kind = Step::Shader;
        step.groups = {7, 5, 3};
        const auto covers = [&](const std::string& source, std::uint32_t pieces, int axis, std::size_t expected) {
            const std::vector<GroupPiece> all = cut_groups(step, source, pieces);
            if (all.size() != expected) return false;
            std::uint32_t at = 0;
            for (const GroupPiece& piece : all) {
                for (int a = 0; a < 3; ++a)
                    if (a != axis && (piece.base[a] != 0 || piece.groups[a] != step.groups[a])) return false;
                if (axis < 0) continue;
                if (piece.base[axis] != at || piece.groups[axis] == 0) return false;
                at += piece.groups[axis];
            }
            return axis < 0 || at == step.groups[axis];
        };
        QVERIFY(covers("main", 3, 0, 3));
        QVERIFY(covers("main", 100, 0, 7));
        QVERIFY(covers("gl_NumWorkGroups.x", 4, 1, 4));          // x must stay whole
        QVERIFY(covers("gl_NumWorkGroups.x gl_NumWorkGroups.y", 2, 2, 2));
        QVERIFY(covers("uvec3 n = gl_NumWorkGroups;", 4, -1, 1));
        step.groups = {9, 1, 1};
        QVERIFY(covers("gl_NumWorkGroups.x", 3, -1, 1));
        step.kind = Step::Generated;                             // one row: its length is never used
        QVERIFY(covers("gl_NumWorkGroups.x", 3, 0, 3));
    }

    // Of one dispatch of some 3 ms on a large GPU as it is assumed to be, and seconds on a processor.
    void a_stop_is_seen_between_pieces() {
        const ScopedSwitch no_host(&Switches::host, false);
        const ScopedSwitch short_slice(&Switches::slice, 1);
        const ScopedSwitch one_kernel(&Switches::variant, std::string("simple"));
        const Tensor a = tests::random_tensor({1200, 1024}, 1), b = tests::random_tensor({1024, 1280}, 2);
        const CancelToken token;
        bool stopped = false;
        const EvaluationCounters c = during([&] {
            const tests::CancelAtSubmission stop(token, 2);
            const CancelScope scope(token);
            try {
                evaluate({matmul(a, b)});
            } catch (const Cancelled&) {
                stopped = true;
            }
            QCOMPARE(stop.seen(), 2);
        });
        QVERIFY(stopped);
        QCOMPARE(c.dispatches, std::uint64_t(0));   // not to its end
        const Tensor few = slice(a, 0, 0, 4), next = matmul(few, b);   // and the next run is right
        evaluate({next});
        QVERIFY(relative_error(read_doubles(next.value()), oracle(matmul(few, b))) < 1e-5);
    }

    void the_trace_tells_of_every_kernel_and_the_plan() {
        const Tensor a = tests::random_tensor({65, 33}, 1), b = tests::random_tensor({33, 20}, 2);
        evaluate({silu(matmul(a, b)) + 1.0});
        start_tracing();
        evaluate({silu(matmul(a, b)) + 2.0});
        bool kernel = false, plan = false;
        for (const SpanRecord& span : take_spans()) {
            kernel = kernel || (span.category == "kernel" && span.detail.find("MFLOP") != std::string::npos && span.length_ns > 0);
            plan = plan || (span.name == "evaluate" && span.detail.find("cached") != std::string::npos);
        }
        QVERIFY(kernel);
        QVERIFY(plan);
    }

    void a_dump_shows_every_pass() {
        const QTemporaryDir folder;
        {
            const ScopedSwitch dump(&Switches::dump, folder.path().toStdString());
            evaluate({silu(matmul(tests::random_tensor({19, 33}, 1), tests::random_tensor({33, 20}, 2))) + 1.0});
        }
        const QDir files(folder.path());
        for (const char* pass : {"build", "simplify", "place", "fuse", "order", "memory", "generate"})
            for (const char* kind : {"txt", "dot"}) {
                const QStringList found = files.entryList({QString("plan_*_%1.%2").arg(QString(pass), QString(kind))});
                QVERIFY2(found.size() == 1, pass);
                QFile file(files.filePath(found[0]));
                QVERIFY(file.open(QIODevice::ReadOnly));
                const QByteArray text = file.readAll();
                QVERIFY2(text.contains("matmul") && text.contains("F32 [19, 20]"), pass);
                if (QByteArray(kind) == "dot") QVERIFY(text.startsWith("digraph") && text.endsWith("}\n") && text.contains("->"));
            }
    }

    void cached_plans_are_checked_on_request() {
        const ScopedSwitch check_cache(&Switches::check, std::string("cache"));
        const Tensor w = tests::random_tensor({8, 8, 3, 3}, 1), x = tests::random_tensor({1, 8, 8, 8}, 2);
        evaluate({denoise(x, w, 1.0, 2)});
        const EvaluationCounters c = during([&] { evaluate({denoise(x, w, 0.5, 2)}); });
        QCOMPARE(c.plan_hits, std::uint64_t(1));
        QVERIFY(c.dispatches + c.host_kernels > 0 && c.replays + c.recordings > 1);   // the values were computed twice
    }

    void cleanupTestCase() { QCOMPARE(Device::current().validation_messages(), 0); }
};

HEDDLE_TEST(replay, ReplayTest)
#include "replay.moc"
