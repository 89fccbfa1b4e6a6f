// What benches are measured against: on a card the card's own product and copy, not the processor's.
#include <QProcess>
#include <QProcessEnvironment>
#include <QRegularExpression>

#include "tests/support/test.h"

class BenchPeaksTest : public QObject {
    Q_OBJECT

    struct Peaks {
        double gflops = 0, gbytes = 0;
        bool by_kernels = false;      // the runtime's own kernels multiplied
    };
    static Peaks peaks(bool discrete) {
        QProcess process;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert("HEDDLE_DEVICE", "llvmpipe");
        environment.insert("HEDDLE_HOST", "1");
        environment.insert("HEDDLE_DISCRETE", discrete ? "1" : "0");
        environment.insert("HEDDLE_DEBUG", "2");      // a line for each kernel of the runtime
        process.setProcessEnvironment(environment);
        process.start(QStringLiteral(HEDDLE_BINARY), {"bench", "ops", "--filter", "none of them"});
        if (!process.waitForFinished(120000)) return {};
        const QString text = QString::fromUtf8(process.readAllStandardOutput());
        const auto match = QRegularExpression("measured peak: ([0-9.]+) GFLOP/s \\(matrix product\\), ([0-9.]+) GB/s").match(text);
        const bool by_kernels = QString::fromUtf8(process.readAllStandardError()).contains(QRegularExpression("kernel: .* matmul \\[1, 1024, 1024\\]"));
        return match.hasMatch() ? Peaks{match.captured(1).toDouble(), match.captured(2).toDouble(), by_kernels} : Peaks{};
    }

private slots:
    // A software driver passes for a card.
    void are_the_device_s_own() {
        QProcess list;
        list.start(QStringLiteral(HEDDLE_BINARY), {"devices"});
        QVERIFY(list.waitForFinished());
        if (!list.readAllStandardOutput().contains("llvmpipe")) QSKIP("Mesa's software driver is not installed");
        const Peaks host = peaks(false), card = peaks(true);
        QVERIFY(host.gflops > 0 && host.gbytes > 0 && card.gflops > 0 && card.gbytes > 0);
        QVERIFY(card.by_kernels && !host.by_kernels);
    }
};

HEDDLE_TEST(bench_peaks, BenchPeaksTest)
#include "bench_peaks.moc"
