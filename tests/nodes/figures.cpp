// Drawn scenes: what decides them, and whether captions, keypoints and masks are of the pictures.
#include <array>
#include <cmath>
#include <set>

#include "gpu/run/evaluate.h"
#include "nodes/dataset/stick_figures.h"
#include "nodes/types/dataset.h"
#include "tests/support/node_run.h"
#include "tests/support/test.h"

using namespace nodes;
using tests::run_node;

class FiguresTest : public QObject {
    Q_OBJECT

private slots:
    void seed_and_number_decide() {
        const auto few = run_node("dataset.stick_figures", {{"count", 3}, {"seed", 4}}), more = run_node("dataset.stick_figures", {{"count", 5}, {"seed", 4}});
        const Dataset &a = few.get<Dataset>("dataset"), &b = more.get<Dataset>("dataset");
        for (std::int64_t i = 0; i < 3; ++i) QVERIFY(a.caption(i) == b.caption(i) && a.source->picture(i)->rgba == b.source->picture(i)->rgba);
        QVERIFY(!(a.hash() == b.hash()) && !a.has_masks());
        QVERIFY(StickFigure(5, 0).draw(32).rgba != StickFigure(4, 0).draw(32).rgba);
        std::set<std::string> captions;
        for (std::int64_t i = 0; i < 300; ++i) captions.insert(StickFigure(0, i).caption().substr(StickFigure(0, i).caption().find(", ")));
        QCOMPARE(captions.size(), std::size_t(15));      // twelve actions, three of them to either side
    }

    void pictures_move() {
        auto dot = std::make_shared<Pixels>(Pixels{8, 8, std::vector<std::uint8_t>(8 * 8 * 4)});
        for (std::size_t i = 0; i < 64; ++i) dot->rgba[4 * i + 3] = 255;      // a black square
        const Dataset base{.source = memory_source({"square", "other"}, {dot, dot}), .items = {0, 1}};
        const auto run = run_node("dataset.moving", {{"clips", 40}, {"frames", 5}, {"side", 32}}, {{"pictures", Value::of<Dataset>(base)}});
        const Dataset& made = run.get<Dataset>("dataset");
        QCOMPARE(made.size(), 200);
        // Where the dark lies and how much of it there is, at the start, in the middle and at the end.
        const auto dark = [&](std::int64_t item) {
            const Pixels frame = *made.source->picture(item);
            std::array<double, 3> sum{};
            for (std::size_t i = 0; i < 32 * 32; ++i) {
                const double weight = frame.rgba[4 * i] < 90 ? 1 : 0;
                sum[0] += weight, sum[1] += weight * static_cast<double>(i % 32), sum[2] += weight * static_cast<double>(i / 32);
            }
            return std::array<double, 3>{sum[0], sum[1] / sum[0], sum[2] / sum[0]};
        };
        std::set<std::string> seen;
        for (std::int64_t clip = 0; clip < 40; ++clip) {
            const std::string caption = made.caption(5 * clip), move = caption.substr(caption.find(", ") + 2);
            QVERIFY(caption.starts_with(clip % 2 ? "other, " : "square, ") && made.caption(5 * clip + 4) == caption);
            seen.insert(move);
            const auto first = dark(5 * clip), middle = dark(5 * clip + 2), last = dark(5 * clip + 4);
            const auto near = [](double a, double b, double off) { return std::abs(a - b) < off; };
            if (move == "moving to the right") QVERIFY(near(last[1] - first[1], 16, 1.5) && near(last[2], first[2], 0.8));
            if (move == "falling") QVERIFY(near(last[2] - first[2], 16, 1.5));
            if (move == "growing") QVERIFY(last[0] > 4 * first[0]);
            if (move == "shrinking") QVERIFY(first[0] > 4 * last[0]);
            if (move == "bouncing") QVERIFY(near(first[2], last[2], 0.5) && near(first[2], middle[2], 0.5) && dark(5 * clip + 1)[2] < first[2] - 5);
            if (move == "spinning") QVERIFY(near(first[0], last[0], 8) && near(first[1], last[1], 0.8));
        }
        QVERIFY(seen.size() >= 8);
    }

    void keypoints_lie_on_the_figure() {
        const auto run = run_node("dataset.stick_figures", {{"count", 60}, {"side", 64}, {"masks", true}});
        const Dataset& made = run.get<Dataset>("dataset");
        const std::vector<PoseFrame>& frames = *run.get<Pose>("pose").frames;
        QCOMPARE(frames.size(), std::size_t(60));
        QVERIFY(made.has_masks());
        for (std::int64_t i = 0; i < 60; ++i) {
            const Pixels mask = *made.source->mask(i), picture = *made.source->picture(i);
            const Person& person = frames[static_cast<std::size_t>(i)].people.at(0);
            QCOMPARE(person.body.size(), std::size_t(18));
            for (std::size_t k = 0; k < 18; ++k) {
                const Keypoint& point = person.body[k];
                QVERIFY2(point.x >= 0 && point.y >= 0 && point.x < 64 && point.y < 64, qPrintable(QString("%1 %2: %3 %4 %5").arg(i).arg(k).arg(point.x).arg(point.y).arg(made.caption(i).c_str())));
                const std::size_t at = 4 * (static_cast<std::size_t>(point.y) * 64 + static_cast<std::size_t>(point.x));
                QVERIFY2(mask.rgba[at] > 100, qPrintable(QString("%1 %2 %3").arg(i).arg(k).arg(made.caption(i).c_str())));
            }
            // What is not the figure is sky and ground, as at the picture's left edge.
            QVERIFY(mask.rgba[4 * 64 * 40] == 0);
            for (std::size_t p = 0; p < 64 * 64; ++p)
                for (std::size_t c = 0; c < 3 && mask.rgba[4 * p] == 0; ++c)
                    QVERIFY(std::abs(picture.rgba[4 * p + c] - picture.rgba[4 * (p - p % 64) + c]) <= 2);
            const std::string caption = made.caption(i);
            const auto above = [&](std::size_t wrist) { return person.body[wrist].y < person.body[1].y; };
            if (caption.ends_with("waving with the left hand")) QVERIFY(above(7) && !above(4) && person.body[7].x > person.body[1].x);
            if (caption.ends_with("waving with the right hand")) QVERIFY(above(4) && !above(7));
            if (caption.ends_with("running to the left")) QVERIFY(person.body[0].x < person.body[1].x);
            if (caption.ends_with("running to the right")) QVERIFY(person.body[0].x > person.body[1].x);
        }
    }
};

HEDDLE_TEST(figures, FiguresTest)
#include "figures.moc"
