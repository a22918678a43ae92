#include "testing/deterministic_scheduler.h"

#include <ucontext.h>

#include <cstdlib>
#include <random>
#include <utility>

#include "base/check.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace thornback::testing {

namespace {

constexpr size_t kStackBytes = 64 * 1024;
constexpr uint64_t kStepsMax = 200'000;
constexpr uint64_t kImmortal = ~uint64_t{0};

DeterministicScheduler* current_scheduler = nullptr;

// Stacks are reused from run to run: mapping fresh ones would take longer than the run.
std::vector<std::unique_ptr<char[]>>& free_stacks() {
  static std::vector<std::unique_ptr<char[]>> stacks;
  return stacks;
}

std::unique_ptr<char[]> take_stack() {
  auto& stacks = free_stacks();
  if (stacks.empty()) return std::unique_ptr<char[]>(new char[kStackBytes]);
  auto stack = std::move(stacks.back());
  stacks.pop_back();
#if defined(__SANITIZE_ADDRESS__)
  // A thread that died inside a function has left the marks of its frames.
  __asan_unpoison_memory_region(stack.get(), kStackBytes);
#endif
  return stack;
}

}  // namespace

struct DeterministicScheduler::Thread {
  ucontext_t context{};
  std::unique_ptr<char[]> stack;
  const void* stack_bottom = nullptr;
  size_t stack_bytes = 0;
  std::function<void()> body;
  uint64_t steps_left = kImmortal;
  const void* blocked_on = nullptr;
  bool is_over = false;
  std::deque<BufferedStore> stores;
};

DeterministicScheduler::DeterministicScheduler(uint64_t seed)
    : state_(seed * 0x9e3779b97f4a7c15 + 1), outside_(std::make_unique<Thread>()) {
  // Some bugs need frequent switches, others long undisturbed stretches and late stores.
  switch_one_in_ = uint64_t{1} << (1 + random(4));
  commit_one_in_ = uint64_t{1} << (1 + random(5));
}

DeterministicScheduler::~DeterministicScheduler() {
  for (auto& thread : threads_) free_stacks().push_back(std::move(thread->stack));
}

DeterministicScheduler* DeterministicScheduler::current() {
  return current_scheduler;
}

uint64_t DeterministicScheduler::random(uint64_t below) {
  // splitmix64
  uint64_t mixed = (state_ += 0x9e3779b97f4a7c15);
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return (mixed ^ (mixed >> 31)) % below;
}

void DeterministicScheduler::spawn(std::function<void()> body) {
  add(std::move(body), kImmortal);
}

void DeterministicScheduler::spawn_mortal(std::function<void()> body, uint64_t steps_max) {
  ++mortals_alive_;
  add(std::move(body), random(steps_max));
}

void DeterministicScheduler::add(std::function<void()> body, uint64_t steps_left) {
  auto thread = std::make_unique<Thread>();
  thread->stack = take_stack();
  thread->stack_bottom = thread->stack.get();
  thread->stack_bytes = kStackBytes;
  thread->body = std::move(body);
  thread->steps_left = steps_left;
  TBK_CHECK(getcontext(&thread->context) == 0);
  thread->context.uc_stack.ss_sp = thread->stack.get();
  thread->context.uc_stack.ss_size = kStackBytes;
  makecontext(&thread->context, &DeterministicScheduler::enter_thread, 0);
  threads_.push_back(std::move(thread));
}

void DeterministicScheduler::enter_thread() {
  DeterministicScheduler& scheduler = *current_scheduler;
#if defined(__SANITIZE_ADDRESS__)
  // The first thread is entered from outside, which is when the bounds of that stack become known.
  Thread& outside = *scheduler.outside_;
  const bool is_first = outside.stack_bottom == nullptr;
  __sanitizer_finish_switch_fiber(nullptr, is_first ? &outside.stack_bottom : nullptr,
                                  is_first ? &outside.stack_bytes : nullptr);
#endif
  scheduler.running_->body();
  if (scheduler.running_->steps_left != kImmortal) scheduler.note_mortal_end();
  scheduler.finish_running();
}

void DeterministicScheduler::switch_to(Thread* next) {
  Thread* previous = running_ != nullptr ? running_ : outside_.get();
  if (previous == next) return;
  running_ = next == outside_.get() ? nullptr : next;
#if defined(__SANITIZE_ADDRESS__)
  void* fake_stack = nullptr;
  __sanitizer_start_switch_fiber(previous->is_over ? nullptr : &fake_stack, next->stack_bottom,
                                 next->stack_bytes);
#endif
  TBK_CHECK(swapcontext(&previous->context, &next->context) == 0);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
#endif
}

RunResult DeterministicScheduler::run() {
  TBK_CHECK(current_scheduler == nullptr);
  current_scheduler = this;
  switch_to(choose_next());
  current_scheduler = nullptr;
  for (auto& thread : threads_) {
    for (const BufferedStore& store : thread->stores) *store.cell = store.value;
  }
  return result_;
}

// The next thread to run, or the caller of run() when it is over. Buffered stores make no
// difference to a blocked thread: only unblock() does.
DeterministicScheduler::Thread* DeterministicScheduler::choose_next() {
  std::vector<Thread*> runnable;
  bool all_over = true;
  for (auto& thread : threads_) {
    if (!thread->is_over && thread->blocked_on == nullptr) runnable.push_back(thread.get());
    all_over = all_over && thread->is_over;
  }
  if (!runnable.empty()) return runnable[random(runnable.size())];
  result_ = all_over ? RunResult::kFinished : RunResult::kDeadlock;
  return outside_.get();
}

bool DeterministicScheduler::commit_random_store() {
  std::vector<Thread*> with_stores;
  for (auto& thread : threads_) {
    if (!thread->stores.empty()) with_stores.push_back(thread.get());
  }
  if (with_stores.empty()) return false;
  Thread* chosen = with_stores[random(with_stores.size())];
  *chosen->stores.front().cell = chosen->stores.front().value;
  chosen->stores.pop_front();
  return true;
}

void DeterministicScheduler::step() {
  if (++steps_ > kStepsMax) {
    result_ = RunResult::kEndless;
    switch_to(outside_.get());
  }
  if (running_->steps_left != kImmortal && running_->steps_left-- == 0) die();
  while (random(commit_one_in_) == 0 && commit_random_store()) {
  }
  if (random(switch_one_in_) == 0) switch_to(choose_next());
}

void DeterministicScheduler::block_on(const void* key) {
  drain_own_stores();
  running_->blocked_on = key;
  switch_to(choose_next());
}

void DeterministicScheduler::unblock(const void* key) {
  for (auto& thread : threads_) {
    if (thread->blocked_on == key) thread->blocked_on = nullptr;
  }
}

void DeterministicScheduler::wait_for_death() {
  step();
  if (mortals_alive_ > 0) block_on(&mortals_alive_);
}

void DeterministicScheduler::note_mortal_end() {
  --mortals_alive_;
  if (mortals_alive_ == 0) unblock(&mortals_alive_);
}

void DeterministicScheduler::die() {
  ++deaths_;
  drain_own_stores();
  note_mortal_end();
  finish_running();
}

void DeterministicScheduler::finish_running() {
  running_->is_over = true;
  switch_to(choose_next());
  std::abort();  // nobody switches back
}

uint64_t DeterministicScheduler::load(const uint64_t& cell) {
  const auto& stores = running_->stores;
  for (auto store = stores.rbegin(); store != stores.rend(); ++store) {
    if (store->cell == &cell) return store->value;
  }
  return cell;
}

void DeterministicScheduler::store(uint64_t& cell, uint64_t value) {
  running_->stores.push_back({&cell, value});
}

void DeterministicScheduler::drain_own_stores() {
  for (const BufferedStore& store : running_->stores) *store.cell = store.value;
  running_->stores.clear();
}

void scheduled_futex_wait(const ScheduledAtomic<uint32_t>& word, uint32_t expected) {
  auto& scheduler = *DeterministicScheduler::current();
  scheduler.step();
  scheduler.drain_own_stores();
  if (word.in_memory() == expected) scheduler.block_on(&word);
}

void scheduled_futex_wake(const ScheduledAtomic<uint32_t>& word) {
  auto& scheduler = *DeterministicScheduler::current();
  scheduler.step();
  scheduler.drain_own_stores();
  scheduler.unblock(&word);
}

void ScheduledEventFd::write() {
  auto& scheduler = *DeterministicScheduler::current();
  scheduler.step();
  scheduler.drain_own_stores();
  ++count_;
  scheduler.unblock(this);
}

void ScheduledEventFd::wait_and_read() {
  auto& scheduler = *DeterministicScheduler::current();
  scheduler.step();
  scheduler.drain_own_stores();
  while (count_ == 0) scheduler.block_on(this);
  count_ = 0;
}

std::string explore(uint64_t count, const std::function<Scenario()>& make) {
  const char* given = std::getenv("THORNBACK_SEED");
  const uint64_t first =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  for (uint64_t seed = first; seed < first + count; ++seed) {
    const Scenario scenario = make();
    DeterministicScheduler scheduler(seed);
    scenario.set_up(scheduler);
    const RunResult result = scheduler.run();
    std::string complaint = scenario.verdict();
    if (result == RunResult::kDeadlock) complaint += " deadlock: a wake-up was lost";
    if (result == RunResult::kEndless) complaint += " no end in sight";
    if (!complaint.empty()) return "THORNBACK_SEED=" + std::to_string(seed) + ":" + complaint;
  }
  return "";
}

}  // namespace thornback::testing
