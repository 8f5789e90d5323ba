import { Catch, type RpcExceptionFilter } from '@nestjs/common';
import { type Observable, throwError } from 'rxjs';

/** Hands errors to the transport as they are: PermanentFailure and TransientFailure are verdicts, and Nest's own filter would hide them. */
@Catch()
export class KeepErrorsFilter implements RpcExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error);
  }
}
