/* The program of a pod: says what it is given, or that it runs until it is told to end. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void end(int signal) { _exit(0); }

int main(int count, char **words) {
  for (int i = 1; i < count; i++) printf("%s\n", words[i]);
  if (count > 1) return 0;
  signal(SIGTERM, end);
  printf("running\n");
  fflush(stdout);
  for (;;) pause();
}
