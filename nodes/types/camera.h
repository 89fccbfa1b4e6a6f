// camera: pinhole cameras of one rig, in order. In<Cameras>, Out<Cameras>.
//
// Frames are nuScenes's (arXiv:1903.11027). LiDAR: x to the right, y forward, z up, metres. Camera: x to the right and y down in the
// picture, z along the optical axis. A pixel (column i, row j) covers u in i..i+1, v in j..j+1.
#pragma once

#include <QByteArray>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "nodes/core/socket_type.h"
#include "nodes/types/vec3.h"

namespace nodes {

struct Camera {
    std::string name;
    int width = 1600, height = 900;                        // of its picture, pixels
    double fx = 1266, fy = 1266, cx = 800, cy = 450;       // K = [fx 0 cx; 0 fy cy; 0 0 1], pixels of that picture
    Vec3 position;                                         // in the LiDAR frame
    // Degrees. Yaw of the optical axis from x (to the right) counterclockwise seen from above: 90 looks forward. Pitch looks up.
    // Roll turns the camera clockwise, seen from behind it.
    double yaw = 90, pitch = 0, roll = 0;

    friend bool operator==(const Camera&, const Camera&) = default;

    // Looks the same way on a picture of another size: scaled until it covers that, then cut, from the top (the sky) and evenly from
    // left and right. 1600 x 900 at 400 x 224 is scaled to 400 x 225 and loses its top row, as MagicDrive (arXiv:2310.02601) does it.
    Camera resized(int to_width, int to_height) const;
    // Columns of K, then of the first three rows [R t] of cam2lidar, as a matrix [3, 7] row by row: MagicDrive's `camera_param`.
    std::array<float, 21> parameters() const;
};

// A camera with its rotation worked out.
class Projection {
public:
    explicit Projection(const Camera& camera);

    // Columns of R in cam2lidar = [R t; 0 1].
    const Vec3& right() const { return right_; }
    const Vec3& down() const { return down_; }
    const Vec3& forward() const { return forward_; }
    const Camera& camera() const { return camera_; }

    Vec3 to_camera(const Vec3& lidar) const;
    Vec3 to_lidar(const Vec3& camera) const;
    // {u, v, z}: pixels and the depth along the optical axis. Where z is not positive u and v mean nothing.
    Vec3 to_pixel(const Vec3& lidar) const;
    // The direction in the LiDAR frame that a pixel looks in; its component along the axis is 1.
    Vec3 ray(double u, double v) const;

private:
    Camera camera_;
    Vec3 right_, down_, forward_;
};

struct Cameras {
    std::shared_ptr<const std::vector<Camera>> list;      // never null on a wire, never empty
};

// The three angles of a rotation with these columns; the one between them, down, follows.
void set_rotation(Camera& camera, const Vec3& right, const Vec3& forward);

inline constexpr std::size_t max_cameras = 64;
inline constexpr double max_street_coordinate = 1000;      // metres, of cameras and of everything that they see

// JSON: a list of {"name": "front", "position": [x, y, z], "yaw": 90, "pitch": 0, "roll": 0, "K": [fx, fy, cx, cy], "size": [1600, 900]}.
// "K" may be the matrix of 9 numbers, or "fov" stands for it, the horizontal field of view in degrees; "cam2lidar", 12 or 16 numbers row
// by row, may stand for position and angles. Empty text is default_cameras(). Throws Error{InvalidGraph} naming the camera.
std::vector<Camera> parse_cameras(const QByteArray& json);
QByteArray cameras_json(const std::vector<Camera>& cameras);      // what parse_cameras reads, a line for each

// Six around a car, about as nuScenes's are, in the order of MagicDrive's network: front left, front, front right, back right, back,
// back left. The road is at z = -1.84.
std::vector<Camera> default_cameras();

template <>
struct SocketTraits<Cameras> {
    static constexpr const char* name = "camera";
    static SocketType describe();
};

}  // namespace nodes
