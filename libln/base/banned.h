#ifndef LNI_BANNED_H
#define LNI_BANNED_H

/* Functions that invite overflow, races or truncation.  Included last. */

#pragma GCC poison strcpy strcat sprintf vsprintf gets strtok atoi atol
#pragma GCC poison gmtime localtime ctime asctime rand alloca popen

#endif
