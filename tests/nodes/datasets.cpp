// Datasets from folders, chosen pictures, and nodes that work on lists of prompts and pictures.
#include <QDir>
#include <QFile>
#include <QImage>
#include <QTemporaryDir>

#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/codec/picture_folder.h"
#include "nodes/core/paths.h"
#include "nodes/types/conditioning.h"
#include "nodes/types/dataset.h"
#include "nodes/types/image.h"
#include "nodes/types/latent.h"
#include "nodes/types/sampling.h"
#include "nodes/types/text.h"
#include "tests/support/node_run.h"
#include "tests/support/test.h"

using namespace nodes;
using tests::failure_of;
using tests::run_node;

namespace {

void write(const QString& path, const QByteArray& bytes) {
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(bytes);
}

void picture(const QString& path, QColor colour, int width = 6, int height = 4) {
    QImage image(width, height, QImage::Format_RGB888);
    image.fill(colour);
    QVERIFY(image.save(path));
}

std::vector<std::string> captions_of(const Dataset& dataset) {
    std::vector<std::string> all;
    for (std::int64_t i = 0; i < dataset.size(); ++i) all.push_back(dataset.caption(i));
    return all;
}

Conditioning rows(std::vector<float> values, std::int64_t n) {
    const auto d = static_cast<std::int64_t>(values.size()) / n;
    return {{{.context = gpu::tensor(values, {n, 1, d}), .pooled = {}, .mask = {}}}};
}

}  // namespace

class DatasetsTest : public QObject {
    Q_OBJECT
private slots:
    void a_folder_has_captions_of_all_kinds() {
        const QTemporaryDir dir;
        QVERIFY(QDir(dir.path()).mkdir("sub"));
        const char* names[] = {"a.png", "b.png", "c.png", "d.png", "e.png", "sub/f.png"};
        for (const char* name : names) picture(dir.filePath(name), Qt::red);
        write(dir.filePath("a.txt"), "  beside it \n");
        write(dir.filePath("b.caption"), "the other suffix");
        write(dir.filePath("metadata.jsonl"), "{\"file_name\": \"c.png\", \"text\": \"from a line\"}\n\n{\"file_name\": \"a.png\", \"text\": \"not this\"}\n");
        write(dir.filePath("metadata.csv"), "file_name,text\r\nd.png,\"with a comma, \"\"quotes\"\"\nand a break\"\r\n");
        write(dir.filePath("sub/captions.json"), "{\"f.png\": {\"caption\": \"below\"}}");
        write(dir.filePath("notes.md"), "no picture");
        const auto run = run_node("dataset.folder", {{"folder", dir.path()}, {"usual", "nothing said"}});
        const Dataset& made = run.get<Dataset>("dataset");
        QVERIFY((captions_of(made) == std::vector<std::string>{"beside it", "the other suffix", "from a line", "with a comma, \"quotes\"\nand a break", "nothing said", "below"}));
        QVERIFY(run.warnings.empty());
        const auto pixels = made.source->picture(2);
        QVERIFY(pixels->width == 6 && pixels->height == 4 && (std::vector<std::uint8_t>(pixels->rgba.begin(), pixels->rgba.begin() + 4) == std::vector<std::uint8_t>{255, 0, 0, 255}));
        // Another caption is another dataset.
        write(dir.filePath("a.txt"), "changed");
        QVERIFY(!(run_node("dataset.folder", {{"folder", dir.path()}, {"usual", "nothing said"}}).get<Dataset>("dataset").hash() == made.hash()));
    }

    // Beside the picture, or its own alpha; the dataset is another one when a mask changes, and the same one in another place.
    void a_folder_has_masks() {
        const QTemporaryDir dir, other;
        const auto fill = [](const QString& folder, QColor mask) {
            QImage clear(4, 4, QImage::Format_RGBA8888);
            clear.fill(QColor(255, 0, 0, 51));
            QVERIFY(clear.save(folder + "/a.png"));
            picture(folder + "/b.png", Qt::green, 4, 4);
            picture(folder + "/b-mask.png", mask, 8, 8);
            picture(folder + "/lonely-mask.png", Qt::blue, 4, 4);
        };
        fill(dir.path(), QColor(102, 102, 102));
        const auto of = [](const QString& folder, const char* masks) {
            Dataset made = run_node("dataset.folder", {{"folder", folder}, {"masks", masks}, {"usual", "x"}}).get<Dataset>("dataset");
            made.framing = {.width = 8, .height = 4, .fill = 1};
            return made;
        };
        const std::int64_t both[] = {0, 1};
        const Dataset files = of(dir.path(), "files"), alpha = of(dir.path(), "alpha"), none = of(dir.path(), "none");
        QCOMPARE(files.size(), 3);      // a mask is no picture, one without its picture is
        QVERIFY(files.has_masks() && alpha.has_masks() && !none.has_masks());
        const auto at = [](const gpu::Tensor& t, std::size_t n, std::size_t x) { return gpu::to_floats(t)[n * 32 + 8 + x]; };
        QVERIFY(at(files.masks(both), 0, 0) == 1 && at(files.masks(both), 0, 4) == 1);                                      // no mask: all of the frame
        QVERIFY(std::abs(at(files.masks(both), 1, 4) - 0.4f) < 1e-6f && at(files.masks(both), 1, 0) == 0);                  // around the picture: nothing
        QVERIFY(std::abs(at(alpha.masks(both), 0, 4) - 0.2f) < 1e-6f && at(alpha.masks(both), 1, 4) == 1);
        const std::int64_t first[] = {0};
        QVERIFY(gpu::to_floats(alpha.pictures(first))[32 + 12] == 0.0f && gpu::to_floats(files.pictures(first))[32 + 12] > 0.7f);    // green: red alone, red over white
        fill(other.path(), QColor(102, 102, 102));
        QVERIFY(of(other.path(), "files").hash() == files.hash() && !(alpha.hash() == files.hash()));
        fill(other.path(), QColor(103, 102, 102));
        QVERIFY(!(of(other.path(), "files").hash() == files.hash()) && of(other.path(), "none").hash() == none.hash());
        picture(dir.filePath("b-mask.png"), Qt::white, 8, 4);
        QVERIFY(failure_of("dataset.folder", {{"folder", dir.path()}, {"broken", "stop"}}) == gpu::ErrorCode::BadFile);
    }

    void what_is_wrong_with_a_folder_is_named() {
        const QTemporaryDir dir;
        picture(dir.filePath("good.png"), Qt::blue);
        write(dir.filePath("good.txt"), "fine");
        write(dir.filePath("broken.png"), "\x89PNG no picture");
        write(dir.filePath("broken.txt"), "broken");
        picture(dir.filePath("silent.png"), Qt::green);
        const QJsonObject base{{"folder", dir.path()}};
        const auto with = [&](QJsonObject more) {
            for (auto at = base.begin(); at != base.end(); ++at) more[at.key()] = at.value();
            return more;
        };
        const auto kept = run_node("dataset.folder", base);
        QVERIFY((captions_of(kept.get<Dataset>("dataset")) == std::vector<std::string>{"fine", ""}));
        QCOMPARE(kept.warnings.size(), std::size_t(2));
        QVERIFY(kept.warnings[0].find("broken.png") != std::string::npos || kept.warnings[1].find("broken.png") != std::string::npos);
        QVERIFY((captions_of(run_node("dataset.folder", with({{"empty", "skip"}})).get<Dataset>("dataset")) == std::vector<std::string>{"fine"}));
        QVERIFY(failure_of("dataset.folder", with({{"empty", "stop"}})) == gpu::ErrorCode::BadFile);
        QVERIFY(failure_of("dataset.folder", with({{"broken", "stop"}})) == gpu::ErrorCode::BadFile);
        QVERIFY(failure_of("dataset.folder", {{"folder", dir.filePath("none")}}).has_value());
        write(dir.filePath("metadata.csv"), "file_name,text\ngood.png,\"never ends\n");
        QVERIFY(failure_of("dataset.folder", base) == gpu::ErrorCode::BadFile);
        write(dir.filePath("metadata.csv"), "name,words\n");
        QVERIFY(failure_of("dataset.folder", base) == gpu::ErrorCode::BadFile);
    }

    void pictures_are_chosen_by_caption() {
        std::vector<std::string> captions{"red heart", "blue heart", "flag: Brazil", "star (bright)"};
        std::vector<std::shared_ptr<const Pixels>> pictures(4, std::make_shared<const Pixels>(Pixels{1, 1, {1, 2, 3, 255}}));
        const Value all = Value::of<Dataset>({.source = memory_source(captions, pictures), .items = {0, 1, 2, 3}});
        const auto chosen = [&](const QJsonObject& params) { return captions_of(run_node("dataset.select", params, {{"dataset", all}}).get<Dataset>("dataset")); };
        QVERIFY((chosen({{"names", "* heart"}}) == std::vector<std::string>{"red heart", "blue heart"}));
        QVERIFY((chosen({{"names", "FLAG: brazil\nstar (bright)"}}) == std::vector<std::string>{"flag: Brazil", "star (bright)"}));
        QVERIFY((chosen({{"most", 1}, {"caption", "my [caption]"}}) == std::vector<std::string>{"my red heart"}));
        QVERIFY(failure_of("dataset.select", {{"names", "heart"}}, {{"dataset", all}}) == gpu::ErrorCode::InvalidGraph);
    }

    void icons_are_drawn() {
        const QTemporaryDir dir;
        const QString file = dir.filePath("icons.json");
        const auto json = [](QByteArray text) { return text.replace('`', '"'); };
        write(file, json("{`prefix`: `own`, `width`: 10, `height`: 10, `icons`: {"
                         "`blue-left`: {`body`: `<path fill='#0000ff' d='M0 0h5v10h-5z'/>`},"
                         "`wide`: {`body`: `<rect width='20' height='10' fill='red'/>`, `width`: 20},"
                         "`hidden`: {`body`: `<path d='M0 0h5v10h-5z'/>`, `hidden`: true},"
                         "`elsewhere`: {`body`: `<image href='/etc/passwd' width='10' height='10'/>`},"
                         "`used`: {`body`: `<use href='file.svg#a'/>`}}}"));

        const auto run = run_node("dataset.icons", {{"file", file}, {"style", "flat"}, {"side", 20}});
        const Dataset& made = run.get<Dataset>("dataset");
        QVERIFY((captions_of(made) == std::vector<std::string>{"blue left, flat", "wide, flat"}));
        const auto left = made.source->picture(0), wide = made.source->picture(1);
        QVERIFY(left->width == 20 && left->height == 20 && wide->width == 20 && wide->height == 10);
        const auto at = [&](const Pixels& p, int x, int y) { return std::vector<std::uint8_t>(p.rgba.begin() + 4 * (y * p.width + x), p.rgba.begin() + 4 * (y * p.width + x) + 4); };
        QVERIFY((at(*left, 3, 10) == std::vector<std::uint8_t>{0, 0, 255, 255}) && at(*left, 15, 10)[3] == 0);
        QVERIFY((at(*wide, 19, 9) == std::vector<std::uint8_t>{255, 0, 0, 255}));
        write(file, "{\"prefix\": \"none\"}");
        QVERIFY(failure_of("dataset.icons", {{"file", file}}) == gpu::ErrorCode::BadFile);
        write(file, "[1, 2");
        QVERIFY(failure_of("dataset.icons", {{"file", file}}) == gpu::ErrorCode::BadFile);
    }

    // Contain leaves a border, cover leaves none.
    void frames_contain_or_cover() {
        auto wide = std::make_shared<Pixels>(Pixels{8, 4, std::vector<std::uint8_t>(8 * 4 * 4, 0)});
        for (std::size_t i = 3; i < wide->rgba.size(); i += 4) wide->rgba[i] = 255;
        const Value all = Value::of<Dataset>({.source = memory_source({"black"}, {wide}), .items = {0}});
        const auto white = [&](const char* fit) {
            const auto framed = run_node("dataset.frame", {{"width", 16}, {"height", 16}, {"fill", 1}, {"fit", fit}}, {{"dataset", all}});
            const std::int64_t first[] = {0};
            const std::vector<float> values = gpu::to_floats(framed.get<Dataset>("dataset").pictures(first));
            return std::count_if(values.begin(), values.end(), [](float v) { return v > 0.5f; });
        };
        QCOMPARE(white("contain"), 3 * 16 * 8);
        QCOMPARE(white("cover"), 0);
    }

    void the_nearest_pictures_are_found() {
        std::vector<std::string> captions{"red", "green", "blue"};
        std::vector<std::shared_ptr<const Pixels>> pictures;
        for (const auto& c : {std::array<std::uint8_t, 4>{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}}) pictures.push_back(std::make_shared<const Pixels>(Pixels{1, 1, {c.begin(), c.end()}}));
        Dataset dataset{.source = memory_source(captions, pictures), .items = {0, 1, 2}, .framing = {.width = 2, .height = 2, .fill = 8}};
        std::vector<float> values;
        for (const auto& c : {std::array<float, 3>{0.1f, 0.2f, 0.9f}, {0.8f, 0.1f, 0}})
            for (const float v : c)
                for (int i = 0; i < 4; ++i) values.push_back(v);
        const auto run = run_node("dataset.nearest", {}, {{"dataset", Value::of<Dataset>(dataset)}, {"image", Value::of<Image>(make_image(gpu::tensor(values, {2, 3, 2, 2})))},
                                                          {"captions", Value::of<std::string>("blue\ngreen")}});
        QCOMPARE(run.metrics.at("nearest_top1"), 50.0);
        QVERIFY(run.get<std::string>("found").starts_with("blue: blue, "));
        const std::vector<float> nearest = gpu::to_floats(run.get<Image>("nearest").tensor);
        QVERIFY(nearest[0] < 0.3f && nearest[8] > 0.7f && nearest[12] > 0.7f && nearest[16] < 0.3f);      // blue, then red
    }

    void a_sheet_has_rows_and_gaps() {
        std::vector<float> values;
        for (int n = 0; n < 3; ++n)
            for (int i = 0; i < 2 * 3; ++i) values.push_back(0.1f * static_cast<float>(n + 1));
        const Value batch = Value::of<Image>(make_image(gpu::tensor(values, {3, 1, 2, 3})));
        const auto run = run_node("image.sheet", {{"columns", 2}, {"gap", 1}, {"background", "#000000"}}, {{"images", batch}});
        const Image& sheet = run.get<Image>("image");
        QVERIFY(sheet.width() == 9 && sheet.height() == 7 && sheet.batch() == 1);
        const std::vector<float> p = gpu::to_floats(sheet.tensor);
        const auto at = [&](int x, int y) { return p[static_cast<std::size_t>(y * 9 + x)]; };
        QVERIFY(at(0, 0) == 0 && at(1, 1) == 0.1f && at(3, 2) == 0.1f && at(4, 1) == 0 && at(5, 1) == 0.2f && at(7, 2) == 0.2f && at(8, 1) == 0);
        QVERIFY(at(1, 3) == 0 && at(1, 4) == 0.1f * 3.0f && at(5, 4) == 0 && at(1, 6) == 0);
        QVERIFY(gpu::to_floats(run_node("image.sheet", {{"gap", 0}}, {{"images", batch}}).get<Image>("image").tensor).size() == 4 * 6);
    }

    void prompts_become_rows() {
        const auto mixed = run_node("conditioning.interpolate", {{"steps", 3}}, {{"from", Value::of<Conditioning>(rows({0, 4}, 1))}, {"to", Value::of<Conditioning>(rows({2, 0}, 1))}});
        const Conditioning& row = mixed.get<Conditioning>("conditioning");
        QVERIFY((gpu::to_floats(row.entries[0].context) == std::vector<float>{0, 4, 1, 2, 2, 0}));
        QCOMPARE(prompt_count(row), 3);
        const auto empty = run_node("latent.empty", {{"width", 16}, {"height", 8}, {"batch", 2}}, {{"prompts", Value::of<Conditioning>(row)}});
        QVERIFY(empty.get<Latent>("latent").tensor.shape() == (gpu::Shape{6, 4, 1, 2}));
        QVERIFY(failure_of("conditioning.interpolate", {}, {{"from", Value::of<Conditioning>(row)}, {"to", Value::of<Conditioning>(row)}}) == gpu::ErrorCode::InvalidGraph);
    }

    void noise_can_be_one_for_all() {
        const gpu::Shape shape{3, 2, 4, 4};
        for (const NoiseSource source : {NoiseSource::Heddle, NoiseSource::TorchCpu}) {
            const std::vector<float> same = gpu::to_floats(NoiseStream(source, 5, shape, 1, true).start()), own = gpu::to_floats(NoiseStream(source, 5, {1, 2, 4, 4}, 1).start());
            QCOMPARE(same.size(), std::size_t(96));
            for (std::size_t n = 0; n < 3; ++n) QVERIFY(std::equal(own.begin(), own.end(), same.begin() + static_cast<std::ptrdiff_t>(32 * n)));
        }
    }

    void own_files_have_names() {
        const QTemporaryDir dir;
        const FilePlaces places{.document_folder = dir.path().toStdString(), .output_folder = {}, .allowed = {dir.path().toStdString()}};
        const std::string found = resolve_input(places, "heddle:graphs/text-to-image.heddle");
        QVERIFY2(QFile::exists(QString::fromStdString(found)), found.c_str());
        QVERIFY(path_readable(places, found) && !path_allowed(places, found));
        // Nothing leads out of the folder.
        QVERIFY(resolve_input(places, "heddle:../../etc/passwd") == resource_folder() + "/etc/passwd");
        QVERIFY(!path_readable(places, "/etc/passwd"));
    }
};

HEDDLE_TEST(datasets, DatasetsTest)
#include "datasets.moc"
