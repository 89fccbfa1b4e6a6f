// The window while a real model samples: what is typed stays, and how long the event loop ever waits is told.
#include <QElapsedTimer>
#include <QPlainTextEdit>

#include "tests/app/editor_fixture.h"

using namespace app;

namespace {

// The longest time between two ticks of a timer: how long the window did not answer.
class Watchdog : public QObject {
public:
    Watchdog() {
        connect(&timer_, &QTimer::timeout, this, [this] { longest_ = std::max(longest_, clock_.restart()); });
        clock_.start();
        timer_.start(5);
    }
    qint64 longest() const { return longest_; }

private:
    QTimer timer_;
    QElapsedTimer clock_;
    qint64 longest_ = 0;
};

}  // namespace

class ResponsiveTest : public QObject {
    Q_OBJECT

private slots:
    void typing_while_a_model_samples_loses_nothing() {
        const QTemporaryDir folder;
        tests::Editor e;
        e.window.runs().set_output_folder(folder.path());
        QVERIFY(e.window.open_example(HEDDLE_SOURCE_DIR "/resources/graphs/text-to-image.heddle"));
        e.scene.select({"prompt"});
        auto* field = e.window.params().editor("text")->findChild<QPlainTextEdit*>();
        field->selectAll();
        nodes::RunStatus ended{};
        connect(&e.window.runs(), &RunController::finished, this, [&](nodes::RunStatus status) { ended = status; });
        const Watchdog watchdog;
        e.trigger("run");
        const QString wanted = QStringLiteral("a blue heart, (soft light:1.2), on a loom; evening");
        int typed = 0;
        QVERIFY(QTest::qWaitFor([&] {
            if (typed < wanted.size()) QTest::keyClick(field, wanted[typed++].toLatin1());
            return !e.window.runs().running() && typed == wanted.size();
        }, 120000));
        QCOMPARE(field->toPlainText(), wanted);
        QCOMPARE(e.model.param("prompt", "text").toString(), wanted);
        qInfo("run ended %d, the window waited %lld ms at most", static_cast<int>(ended), watchdog.longest());
    }
};

HEDDLE_TEST(responsive, ResponsiveTest)
#include "responsive.moc"
