// Streets: cameras, boxes and lanes against their formulas, and the pictures and rasters that nodes make of them.
#include <cmath>

#include "gpu/ops.h"
#include "gpu/run/evaluate.h"
#include "nodes/core/document.h"
#include "nodes/types/bev_map.h"
#include "nodes/types/camera.h"
#include "nodes/types/image.h"
#include "nodes/types/street.h"
#include "nodes/types/street_picture.h"
#include "tests/support/node_run.h"
#include "tests/support/test.h"

using namespace nodes;
using gpu::ErrorCode;
using tests::failure_of;
using tests::run_node;

namespace {

bool near(double a, double b, double by = 1e-6) { return std::abs(a - b) <= by; }
bool near(const Vec3& a, const Vec3& b, double by = 1e-6) { return length(a - b) <= by; }

// At the height of a car's roof over a road at -1.84: 1.5 m above it, looking forward.
Camera ahead() { return {.name = "front", .position = {0, 0, -0.34}}; }

const char* const street =
    R"({"boxes": [{"class": "car", "center": [0, 20], "yaw": 90}, {"class": "bus", "center": [4, 30], "yaw": -90}, {"class": "pedestrian", "center": [-5, -12], "yaw": 0}],
        "lanes": [{"class": "drivable_area", "points": [0, -50, 0, 50], "width": 8}, {"class": "lane_divider", "points": [0, -50, 0, 50]}]})";

std::map<std::string, Value> scene_of(const char* json) {
    std::map<std::string, Value> made = run_node("street.scene", {{"scene", json}}).outputs;
    made["cameras"] = run_node("camera.rig").outputs.at("cameras");
    return made;
}

struct Pixel {
    float red, green, blue;
};
Pixel pixel(const Image& image, std::int64_t n, std::int64_t x, std::int64_t y) {
    const std::vector<float> all = gpu::to_floats(image.tensor);
    const auto at = [&](std::int64_t c) { return all[static_cast<std::size_t>(((n * 3 + c) * image.height() + y) * image.width() + x)]; };
    return {at(0), at(1), at(2)};
}
bool is_colour(const Pixel& p, const QColor& c, double by = 0.02) { return near(p.red, c.redF(), by) && near(p.green, c.greenF(), by) && near(p.blue, c.blueF(), by); }

std::string message_of(const QString& type, const char* param, const QString& text) {
    try {
        run_node(type.toStdString(), {{param, text}});
    } catch (const gpu::Error& error) {
        return error.what();
    }
    return {};
}

}  // namespace

class StreetTest : public QObject {
    Q_OBJECT
private slots:
    void a_box_ten_metres_ahead() {
        // Its foot, 1.5 m below the camera, is seen fx * 1.5 / 10 below the middle.
        const Camera camera = ahead();
        const Projection view(camera);
        const Vec3 foot = view.to_pixel({0, 10, -1.84});
        QVERIFY(near(foot, {800, 450 + 1266 * 0.15, 10}));
        QVERIFY(near(view.to_pixel({1, 10, -0.34}).x, 800 + 126.6));      // to the right is to the right
        QVERIFY(near(view.to_pixel({0, 10, 0.66}).y, 450 - 126.6));       // up is up
        QVERIFY(view.to_pixel({0, -10, 0}).z < 0);
    }

    void there_and_back() {
        for (const double yaw : {-120.0, 0.0, 35.0, 90.0, 179.0})
            for (const double pitch : {-70.0, 0.0, 12.0})
                for (const double roll : {-30.0, 0.0, 90.0}) {
                    const Camera camera{.position = {1, -2, 0.5}, .yaw = yaw, .pitch = pitch, .roll = roll};
                    const Projection view(camera);
                    const Vec3 place{3.5, 12, -1};
                    QVERIFY(near(view.to_lidar(view.to_camera(place)), place, 1e-9));
                    QVERIFY(near(cross(view.right(), view.down()), view.forward(), 1e-9));
                    QVERIFY(near(std::atan2(view.forward().y, view.forward().x) * 180 / M_PI, yaw, 1e-9));
                    const Vec3 pixel = view.to_pixel(place);
                    if (pixel.z > 0) QVERIFY(near(view.ray(pixel.x, pixel.y) * pixel.z + camera.position, place, 1e-9));
                    Camera again;
                    set_rotation(again, view.right(), view.forward());
                    QVERIFY(near(again.yaw, yaw) && near(again.pitch, pitch) && near(again.roll, roll));
                }
    }

    void cameras_as_text() {
        const std::vector<Camera> usual = parse_cameras("");
        QCOMPARE(usual.size(), 6u);
        QCOMPARE(usual[1].name, std::string("front"));
        QVERIFY(parse_cameras(cameras_json(usual)) == usual);
        // The matrix of a camera that looks to the right: its axes are back, down and right.
        const Camera matrix = parse_cameras(R"([{"cam2lidar": [0,0,1,2, -1,0,0,3, 0,-1,0,4], "K": [500,0,320, 0,510,240, 0,0,1], "size": [640, 480]}])")[0];
        QVERIFY(near(matrix.yaw, 0) && near(matrix.pitch, 0) && near(matrix.roll, 0) && matrix.position == Vec3({2, 3, 4}));
        QVERIFY(matrix.fx == 500 && matrix.fy == 510 && matrix.cx == 320 && matrix.cy == 240);
        QVERIFY(near(parse_cameras(R"([{"fov": 90, "size": [640, 480]}])")[0].fx, 320));
        const auto seven = matrix.parameters();
        const std::vector<float> expected{500, 0, 320, 0, 0, 1, 2, 0, 510, 240, -1, 0, 0, 3, 0, 0, 1, 0, -1, 0, 4};
        for (std::size_t i = 0; i < seven.size(); ++i) QVERIFY(near(seven[i], expected[i]));
    }

    void views_are_scaled_and_cut_from_the_top() {
        // 1600 x 900 -> 400 x 225 -> 400 x 224 without its top row (MagicDrive).
        const Camera small = ahead().resized(400, 224);
        QVERIFY(near(small.fx, 316.5) && near(small.cx, 200) && near(small.cy, 112.5 - 1));
        const Camera square = ahead().resized(90, 90);
        QVERIFY(near(square.fx, 126.6) && near(square.cx, 45) && near(square.cy, 45));
    }

    void corners_are_in_the_order_of_second() {
        StreetBox box{.center = {0, 0, 1}, .size = {2, 4, 1.5}, .yaw = 0};
        QVERIFY(near(box.second_yaw(), -M_PI / 2));
        auto c = box.corners();
        QVERIFY(near(c[0], {2, -1, 0.25}));      // the front, with length 0, is at +x
        QVERIFY(near(c[1], {2, -1, 1.75}));
        QVERIFY(near(c[3], {-2, -1, 0.25}));
        QVERIFY(near(c[4], {2, 1, 0.25}));
        QVERIFY(near(c[6], {-2, 1, 1.75}));
        QVERIFY(near(box.corners(0)[0], {2, -1, 1}));      // lifted by half its height
        box.yaw = 90;
        c = box.corners();
        QVERIFY(near((c[0] + c[5]) * 0.5, {0, 2, 1}));      // ahead
    }

    void what_is_behind_is_left_out() {
        const Projection view(ahead());
        const StreetBox behind{.center = {0, -10, -1}, .size = {2, 4, 1.5}}, across{.center = {1.5, 0.5, -1}, .size = {2, 4, 1.5}}, aside{.center = {40, 5, -1}, .size = {2, 4, 1.5}};
        QVERIFY(!is_visible(view, behind, Visibility::Front));
        QVERIFY(is_visible(view, across, Visibility::Front) && is_visible(view, aside, Visibility::Front));
        QVERIFY(!is_visible(view, aside, Visibility::View));
        // An edge from in front to behind is cut where it passes the near plane, and not mirrored.
        const auto edge = projected(view, {1, 10, -0.34}, {1, -10, -0.34});
        QVERIFY(edge && near(edge->x1(), 926.6) && edge->x2() >= 1600 && edge->x2() < 1700);
        QVERIFY(!projected(view, {1, -1, 0}, {1, -10, 0}));
        const Vec3 face[] = {{-1, 5, -1}, {1, 5, -1}, {1, -5, -1}, {-1, -5, -1}};
        for (const QPointF& p : projected(view, face)) QVERIFY(p.y() > 450 && p.y() < 1000 && std::abs(p.x()) < 2000);
    }

    void nearer_boxes_hide_farther_ones() {
        const Projection view(ahead());
        // The middle of the long one is farther away, though it lies in front of the small one behind its end.
        const std::vector<StreetBox> boxes{{.center = {1.5, 16, -1}, .size = {1, 20, 2}}, {.center = {3, 10, -1}, .size = {0.6, 0.6, 2}}, {.center = {0, 60, -1}, .size = {2, 4, 2}}};
        const std::vector<std::size_t> order = far_to_near(view, boxes, Visibility::Front);
        QCOMPARE(order, (std::vector<std::size_t>{2, 1, 0}));
        QVERIFY(length(boxes[1].center) < length(boxes[0].center));
    }

    void streets_as_text() {
        const Street read = parse_street(street);
        QCOMPARE(read.boxes.size(), 3u);
        QVERIFY(near(read.boxes[0].center.z, -1.84 + 1.73 / 2));      // stands on the ground
        QVERIFY(read.boxes[0].size == usual_size(0));
        QVERIFY(near(parse_street(street_json(read)).boxes[0].center.z, -0.975));
        const Street again = parse_street(street_json(read));
        QVERIFY(parse_street(street_json(again)) == again);
        QVERIFY(again.lanes == read.lanes);
        QVERIFY(street_json({}).isEmpty() && parse_street(" ") == Street());
    }

    void what_is_wrong_is_named_data() {
        QTest::addColumn<QString>("type");
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("expected");
        const QString scene = "street.scene", rig = "camera.rig";
        QTest::newRow("no json") << scene << "{\"boxes\": [\n,]}" << "error in line 2";
        QTest::newRow("a class") << scene << R"({"boxes": [{"class": "cat", "center": [0, 1]}]})" << "did you mean 'car'?";
        QTest::newRow("a key") << scene << R"({"boxes": [{"class": "car", "centre": [0, 1]}]})" << "did you mean 'center'?";
        QTest::newRow("no place") << scene << R"({"boxes": [{"class": "car"}]})" << "box 0: expected a center";
        QTest::newRow("a size") << scene << R"({"boxes": [{"class": "car", "center": [0, 1], "size": [1, 2]}]})" << "expected 3 numbers of size, got 2";
        QTest::newRow("a negative size") << scene << R"({"boxes": [{"class": "car", "center": [0, 1], "size": [1, -2, 3]}]})" << "got -2 for number 1";
        QTest::newRow("a point") << scene << R"({"lanes": [{"class": "lane_divider", "points": [0, 1]}]})" << "lane 0: expected points";
        QTest::newRow("two points") << scene << R"({"lanes": [{"class": "walkway", "points": [0, 1, 2, 3]}]})" << "at least 3 points";
        QTest::newRow("a list") << scene << "[]" << "expected an object";
        QTest::newRow("far away") << scene << R"({"boxes": [{"class": "car", "center": [0, 1e9]}]})" << "-1000 to 1000";
        QTest::newRow("an object") << rig << "{}" << "expected a list of cameras";
        QTest::newRow("none") << rig << "[]" << "1 to 64 cameras";
        QTest::newRow("pitch") << rig << R"([{}, {"name": "back", "pitch": 100}])" << "camera 1 (back): expected pitch of -90 to 90, got 100";
        QTest::newRow("both") << rig << R"([{"fov": 90, "K": [1, 1, 1, 1]}])" << "got both";
        QTest::newRow("a mirror") << rig << R"([{"cam2lidar": [-1,0,0,0, 0,0,1,0, 0,-1,0,0]}])" << "expected a rotation";
        QTest::newRow("skew") << rig << R"([{"K": [500,1,320, 0,510,240, 0,0,1]}])" << "got another matrix";
    }
    void what_is_wrong_is_named() {
        QFETCH(QString, type);
        QFETCH(QString, text);
        QFETCH(QString, expected);
        const std::string message = message_of(type, type == "camera.rig" ? "cameras" : "scene", text);
        QVERIFY2(QString::fromStdString(message).contains(expected), message.c_str());
    }

    void the_raster_is_exact() {
        // 0.5 m cells: the middle of cell (row, column) is at x = row / 2 - 49.75, y = column / 2 - 49.75.
        const Value lanes = run_node("street.scene", {{"scene", R"({"lanes": [
            {"class": "drivable_area", "points": [-2, 10, 3, 10, 3, 20, -2, 20]}, {"class": "stop_line", "points": [-2, 5, 2, 5], "width": 1},
            {"class": "road_divider", "points": [0.25, -10, 0.25, 10]}]})"}}).outputs.at("lanes");
        const auto run = run_node("street.map", {}, {{"lanes", lanes}});
        const BevMap& map = run.get<BevMap>("map");
        QCOMPARE(map.tensor.shape(), (gpu::Shape{1, 8, 200, 200}));
        const std::vector<float> all = gpu::to_floats(map.tensor);
        const auto at = [&](int channel, int row, int column) { return all[static_cast<std::size_t>((channel * 200 + row) * 200 + column)]; };
        int areas = 0, stops = 0, dividers = 0, others = 0;
        for (int channel = 0; channel < 8; ++channel)
            for (int i = 0; i < 200 * 200; ++i) {
                const bool set = all[static_cast<std::size_t>(channel * 200 * 200 + i)] != 0;
                (channel == 0 ? areas : channel == 3 ? stops : channel == 5 ? dividers : others) += set;
            }
        QCOMPARE(areas, 10 * 20);
        QCOMPARE(stops, 8 * 2);
        QCOMPARE(others, 0);
        QVERIFY(at(0, 96, 120) == 1 && at(0, 95, 120) == 0 && at(0, 105, 139) == 1 && at(0, 106, 139) == 0 && at(0, 100, 119) == 0 && at(0, 100, 140) == 0);
        // The line runs along the middles of row 100; those of rows 99 and 101 are one cell away, which is half of its two.
        QVERIFY(at(5, 100, 90) == 1 && at(5, 99, 90) == 1 && at(5, 101, 90) == 1 && at(5, 98, 90) == 0 && at(5, 102, 90) == 0);
        QCOMPARE(at(5, 100, 79), 1.0f);      // its end
        QCOMPARE(at(5, 100, 78), 0.0f);
        QVERIFY(dividers >= 3 * 40 && dividers <= 3 * 42);
        // To look at: row 96, column 120 of the area.
        QVERIFY(is_colour(pixel(run.get<Image>("image"), 0, 120, 97), lane_colour(0)));
        const auto larger = run_node("street.map", {{"cells", 400}}, {{"lanes", lanes}}).get<BevMap>("map");
        QCOMPARE(larger.tensor.shape(), (gpu::Shape{1, 8, 400, 400}));
    }

    void bands_keep_their_width_around_corners() {
        const Lane lane{.lane_class = 2, .points = {{0, 0}, {0, 10}, {10, 10}}, .width = 2};
        const std::vector<Point2> outline = lane.outline(0);
        QCOMPARE(outline.size(), 6u);
        QVERIFY(near(outline[1].x, -1) && near(outline[1].y, 11) && near(outline[4].x, 1) && near(outline[4].y, 9));
    }

    void views_are_rendered() {
        std::map<std::string, Value> scene = scene_of(street);
        const Image image = run_node("street.render", {{"samples", 2}}, scene).get<Image>("image");
        QCOMPARE(image.tensor.shape(), (gpu::Shape{6, 3, 224, 400}));
        // The front camera: the car's tail in the middle (its lights are red at both sides), the road below, sky above.
        const Projection view(default_cameras()[1].resized(400, 224));
        const Vec3 tail = view.to_pixel({0, 20 - 2.31, -1.84 + 0.3});
        const Pixel p = pixel(image, 1, std::lround(tail.x), std::lround(tail.y));
        QVERIFY(p.red > p.green && p.green > p.blue);      // a shade of orange
        const Vec3 light = view.to_pixel({0.7 * 1.95 / 2, 20 - 2.31, -1.84 + 0.36 * 1.73});
        const Pixel red = pixel(image, 1, std::lround(light.x), std::lround(light.y));
        QVERIFY2(red.red > 0.6 && red.green < 0.25, qPrintable(QString("%1 %2").arg(red.red).arg(red.green)));
        QVERIFY(is_colour(pixel(image, 1, 150, 215), lane_colour(0)));
        QVERIFY(pixel(image, 1, 200, 5).blue > pixel(image, 1, 200, 5).red);
        // Nobody else sees the car, the one behind sees the pedestrian.
        const Vec3 person = Projection(default_cameras()[4].resized(400, 224)).to_pixel({-5, -12, -1.2});
        const Pixel at = pixel(image, 4, std::lround(person.x), std::lround(person.y));
        QVERIFY(at.blue > at.red + 0.2);
        // Without anything there is still a world.
        const Image empty = run_node("street.render", {}, {{"cameras", scene.at("cameras")}}).get<Image>("image");
        QVERIFY(is_colour(pixel(empty, 1, 200, 200), QColor(122, 132, 98)));
    }

    void the_example_hides_what_is_far() {
        const Document document = Document::load(HEDDLE_SOURCE_DIR "/resources/graphs/street.heddle");
        const QByteArray text = document.param("street", "scene").toString().toUtf8();
        const Image image = run_node("street.render", {{"samples", 1}}, scene_of(text)).get<Image>("image");
        // The car that comes on the left, in front of a trailer: what the front left camera sees in its upper part.
        const Projection view(default_cameras()[0].resized(400, 224));
        const StreetBox car = parse_street(text).boxes[4];
        const Vec3 side = view.to_pixel(car.center + Vec3{-0.975, 0.5, 0.76});
        const Pixel p = pixel(image, 0, std::lround(side.x), std::lround(side.y));
        QVERIFY2(p.red > p.blue + 0.3, qPrintable(QString("%1 %2 %3").arg(p.red).arg(p.green).arg(p.blue)));
    }

    void views_are_projected() {
        std::map<std::string, Value> scene = scene_of(street);
        const Image image = run_node("street.project", {}, scene).get<Image>("image");
        QCOMPARE(image.tensor.shape(), (gpu::Shape{6, 3, 224, 400}));
        const Projection view(default_cameras()[1].resized(400, 224));
        const Vec3 corner = view.to_pixel({0.975, 20 - 2.31, -1.0});      // on an upright edge of the car
        const auto brightest = [&](std::int64_t n, double x, double y) {
            float best = 0;
            for (int dx = -1; dx <= 1; ++dx) best = std::max(best, pixel(image, n, std::lround(x) + dx, std::lround(y)).red);
            return best;
        };
        QVERIFY(brightest(1, corner.x, corner.y) > 0.6f);
        QVERIFY(pixel(image, 1, 200, 5).red == 0);
        // On a picture.
        scene["image"] = Value::of<Image>(make_image(gpu::full({1, 3, 22, 40}, 0.5)));
        const Image over = run_node("street.project", {}, scene).get<Image>("image");
        QVERIFY(near(pixel(over, 1, 200, 5).red, 0.5, 0.01));
        // An empty street is black.
        const Image empty = run_node("street.project", {}, {{"cameras", scene.at("cameras")}, {"boxes", run_node("street.scene").outputs.at("boxes")}}).get<Image>("image");
        for (const float value : gpu::to_floats(empty.tensor)) QCOMPARE(value, 0.0f);
    }

    void tensors_for_the_network() {
        const auto scene = scene_of(street);
        const auto run = run_node("street.tensors", {}, scene);
        QCOMPARE(run.get<Tensor>("matrices").shape(), (gpu::Shape{1, 6, 3, 7}));
        QCOMPARE(run.get<Tensor>("corners").shape(), (gpu::Shape{1, 6, 2, 8, 3}));
        const std::vector<float> masks = gpu::to_floats(run.get<Tensor>("masks")), classes = gpu::to_floats(run.get<Tensor>("classes"));
        // Car and bus ahead, the pedestrian behind.
        QVERIFY(masks[2] == 1 && masks[3] == 1 && classes[2] == 0 && classes[3] == 3);
        QVERIFY(masks[8] == 1 && masks[9] == 0 && classes[8] == 8 && classes[9] == -1);
        const std::vector<float> corners = gpu::to_floats(run.get<Tensor>("corners"));
        QVERIFY(near(corners[2 * 24 + 2], -1.84 + 1.73 / 2, 1e-5));      // the lower corner, lifted by half a height
        const auto none = run_node("street.tensors", {{"room", 4}}, {{"cameras", scene.at("cameras")}});
        QCOMPARE(none.get<Tensor>("corners").shape(), (gpu::Shape{1, 6, 4, 8, 3}));
        for (const float value : gpu::to_floats(none.get<Tensor>("masks"))) QCOMPARE(value, 0.0f);
        QCOMPARE(run_node("street.tensors", {{"room", 1}}, scene).warnings.size(), 1u);
    }

    void values_are_kept_on_disk() {
        for (const auto& [name, value] : scene_of(street)) {
            const auto stored = value.stored();
            QVERIFY(stored);
            const Value back = value.type()->restore(*stored);
            QVERIFY(back.hash() == value.hash());
            QVERIFY(!value.summary().empty());
        }
    }
};

HEDDLE_TEST(street, StreetTest)
#include "street.moc"
