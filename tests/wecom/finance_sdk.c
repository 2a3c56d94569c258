/* A stand-in for WeCom's archive library, with the functions that we call and no network: it
   reads one file a message, SECRET/SEQ.json, and "decrypts" what is locked as KEY:TEXT. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { char *buf; int len; } Slice;
typedef struct { char folder[4096]; } Sdk;

void *NewSdk(void) { return calloc(1, sizeof(Sdk)); }
void DestroySdk(void *sdk) { free(sdk); }
void *NewSlice(void) { return calloc(1, sizeof(Slice)); }
void FreeSlice(void *slice) { free(((Slice *)slice)->buf); free(slice); }
char *GetContentFromSlice(void *slice) { return ((Slice *)slice)->buf; }
int GetSliceLen(void *slice) { return ((Slice *)slice)->len; }

int Init(void *sdk, const char *corp_id, const char *secret) {
  if (strcmp(corp_id, "ww0000zhilin000000") != 0) return 10005;
  snprintf(((Sdk *)sdk)->folder, sizeof ((Sdk *)sdk)->folder, "%s", secret);
  puts("[sdk] opened"); /* the real one prints as well */
  fflush(stdout);
  return 0;
}

static void add(Slice *slice, const char *text, int length) {
  slice->buf = realloc(slice->buf, slice->len + length + 1);
  memcpy(slice->buf + slice->len, text, length);
  slice->len += length;
  slice->buf[slice->len] = 0;
}

static void copy(Slice *slice, const char *path) {
  static char piece[65536];
  FILE *file = fopen(path, "rb");
  size_t got;
  while ((got = fread(piece, 1, sizeof piece, file)) > 0) add(slice, piece, (int)got);
  fclose(file);
}

static int exists(const char *folder, const char *name) {
  char path[8192];
  FILE *file;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  file = fopen(path, "rb");
  if (file) fclose(file);
  return file != NULL;
}

int GetChatData(void *sdk, unsigned long long seq, unsigned int limit, const char *proxy,
                const char *password, int timeout, void *slice) {
  const char *folder = ((Sdk *)sdk)->folder;
  char path[8192];
  unsigned int count = 0;
  const char *head = "{\"errcode\":0,\"errmsg\":\"ok\",\"chatdata\":[";
  (void)proxy, (void)password, (void)timeout;
  if (exists(folder, "crash")) abort();
  if (exists(folder, "busy")) return 10002;
  if (exists(folder, "other_ip")) return 10010;
  add(slice, head, (int)strlen(head));
  for (seq++; count < limit; seq++, count++) {
    snprintf(path, sizeof path, "%llu.json", seq);
    if (!exists(folder, path)) break;
    if (count) add(slice, ",", 1);
    snprintf(path, sizeof path, "%s/%llu.json", folder, seq);
    copy(slice, path);
  }
  add(slice, "]}", 2);
  return 0;
}

int DecryptData(const char *key, const char *locked, void *slice) {
  size_t length = strlen(key);
  if (strncmp(key, locked, length) != 0 || locked[length] != ':') return 10007;
  add(slice, locked + length + 1, (int)strlen(locked + length + 1));
  return 0;
}
