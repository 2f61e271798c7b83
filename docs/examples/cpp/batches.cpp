/// Classifies images in batches of any size on two threads, with a model that is known by its descriptor only.
///
///   lathe compile test/models/glyph_resnet.onnx --dim batch=1..64 --name=glyph -o glyph.o
///   c++ -std=c++17 -Iruntime/include -I. docs/examples/cpp/batches.cpp glyph.o build/release/lib/liblathe_rt.a -lpthread
///   ./a.out test/models/eval_images.npy test/models/eval_labels.npy
#include "glyph.h"
#include "model.h"
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>

/// The bytes of an array of uint8; the header of these files has 128 bytes.
static std::vector<unsigned char> readArray(const char *path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<unsigned char> bytes{std::istreambuf_iterator<char>(file), {}};
  if (bytes.size() < 128)
    throw std::runtime_error(std::string("cannot read ") + path);
  bytes.erase(bytes.begin(), bytes.begin() + 128);
  return bytes;
}

static void classify(const char *imagesPath, const char *labelsPath) {
  example::Model model(glyph_model);
  example::Executor executor(2);
  std::vector<unsigned char> images = readArray(imagesPath), labels = readArray(labelsPath);
  std::vector<std::int64_t> dims(glyph_model.num_dims, 1);
  const std::size_t batchDim = model.dim("batch");
  const std::int64_t pixels = model.inputSize(0, dims), largest = glyph_model.dims[batchDim].upper;
  const std::int64_t count = static_cast<std::int64_t>(labels.size());
  if (static_cast<std::int64_t>(images.size()) != count * pixels)
    throw std::runtime_error("images and labels do not fit");

  std::int64_t correct = 0, runs = 0;
  for (std::int64_t begin = 0, batch = 1; begin < count; begin += batch, ++runs) {
    batch = std::min({runs % 64 + 1, largest, count - begin}); // another size each time
    std::vector<float> input(images.begin() + begin * pixels, images.begin() + (begin + batch) * pixels);
    for (float &pixel : input)
      pixel = pixel / 255.0f - 0.5f;
    dims[batchDim] = batch;
    example::Output logits = std::move(model.run({input.data()}, dims, executor.get()).front());
    const std::int64_t classes = logits.shape.back();
    for (std::int64_t i = 0; i < batch; ++i) {
      const float *row = logits.as<float>() + i * classes;
      correct += std::max_element(row, row + classes) - row == labels[begin + i];
    }
  }
  std::printf("accuracy %.2f %% of %lld images in %lld batches\n", 100.0 * correct / count,
              static_cast<long long>(count), static_cast<long long>(runs));
}

int main(int argc, char **argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: batches images.npy labels.npy\n");
    return 2;
  }
  try {
    classify(argv[1], argv[2]);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "batches: %s\n", error.what());
    return 1;
  }
  return 0;
}
