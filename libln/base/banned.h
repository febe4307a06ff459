#ifndef LNI_BANNED_H
#define LNI_BANNED_H

/*
 * Functions that invite overflow, races or truncation.  Included last.  Some
 * are macros in fortified builds, and a macro cannot be poisoned.
 */

#undef strcpy
#undef strcat
#undef sprintf
#undef vsprintf
#undef gets
#undef strtok
#undef alloca
#pragma GCC poison strcpy strcat sprintf vsprintf gets strtok atoi atol
#pragma GCC poison gmtime localtime ctime asctime rand alloca popen

#endif
