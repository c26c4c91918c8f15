// CGAL's triangular expansion over all walls of a city: only the expansion itself is timed, not
// building the arrangement nor finding the face that a point lies in.
// stdin:  n_walls, then x1 y1 x2 y2 a line; n_points, then x y a line; rounds
// stdout: CPU seconds of one round, then for each point its corners: n x y x y ... (0: it failed)
#include <CGAL/Arr_naive_point_location.h>
#include <CGAL/Arr_segment_traits_2.h>
#include <CGAL/Arrangement_2.h>
#include <CGAL/Exact_predicates_inexact_constructions_kernel.h>
#include <CGAL/Triangular_expansion_visibility_2.h>

#include <ctime>
#include <exception>
#include <iomanip>
#include <iostream>
#include <variant>
#include <vector>

using Kernel = CGAL::Exact_predicates_inexact_constructions_kernel;
using Point = Kernel::Point_2;
using Segment = Kernel::Segment_2;
using Arrangement = CGAL::Arrangement_2<CGAL::Arr_segment_traits_2<Kernel>>;
using Visibility = CGAL::Triangular_expansion_visibility_2<Arrangement, CGAL::Tag_true>;

int main() {
  std::size_t n_walls, n_points;
  int rounds;
  double x1, y1, x2, y2;
  std::cin >> n_walls;
  std::vector<Segment> walls;
  while (n_walls--) {
    std::cin >> x1 >> y1 >> x2 >> y2;
    walls.emplace_back(Point(x1, y1), Point(x2, y2));
  }
  std::cin >> n_points;
  std::vector<Point> points;
  while (n_points--) {
    std::cin >> x1 >> y1;
    points.emplace_back(x1, y1);
  }
  std::cin >> rounds;

  Arrangement plan;
  CGAL::insert_non_intersecting_curves(plan, walls.begin(), walls.end());
  CGAL::Arr_naive_point_location<Arrangement> locate(plan);
  std::vector<Arrangement::Face_const_handle> faces;
  for (const Point& point : points) {
    auto found = locate.locate(point);
    faces.push_back(*boost::get<Arrangement::Face_const_handle>(&found));
  }
  Visibility visibility(plan);
  std::vector<Arrangement> seen(points.size());
  const std::clock_t start = std::clock();
  for (int round = 0; round < rounds; round++)
    for (std::size_t i = 0; i < points.size(); i++)
      try {
        visibility.compute_visibility(points[i], faces[i], seen[i]);
      } catch (const std::exception&) {  // two rays that rounding keeps from meeting
        seen[i].clear();
      }
  std::cout << double(std::clock() - start) / CLOCKS_PER_SEC / rounds << "\n" << std::setprecision(17);
  for (Arrangement& region : seen) {
    if (region.is_empty()) {
      std::cout << "0\n";
      continue;
    }
    auto face = region.edges_begin()->face();
    if (face->is_unbounded()) face = region.edges_begin()->twin()->face();
    auto edge = face->outer_ccb();
    const auto first = edge;
    std::vector<Point> corners;
    do corners.push_back(edge->source()->point());
    while (++edge != first);
    std::cout << corners.size();
    for (const Point& corner : corners) std::cout << " " << corner.x() << " " << corner.y();
    std::cout << "\n";
  }
}
