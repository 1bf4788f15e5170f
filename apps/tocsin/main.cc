#include <cstdio>

int main() {
  std::puts("tocsin");
  return 0;
}
