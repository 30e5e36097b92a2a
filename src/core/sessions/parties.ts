import { Injectable } from '@nestjs/common';
import { deviceIdOf } from '../../base/http/device-id.js';
import type { HttpExchange } from '../../base/http/http-exchange.js';
import { ClientAuthenticator } from '../clients/client-authenticator.js';
import { clientCredentialsOf } from '../clients/client-credentials.js';
import { DpopProofService } from '../dpop/dpop-proof.service.js';
import type { Party } from './lease.js';
import { readTokenOf } from './read-token.js';

/** Says who sends a request: one reading for every endpoint that a client authenticates at. */
@Injectable()
export class Parties {
  constructor(
    private readonly authenticator: ClientAuthenticator,
    private readonly proofs: DpopProofService,
  ) {}

  /** @throws AuthError invalid_client, unauthorized_client, invalid_argument, invalid_dpop_proof */
  async of(http: HttpExchange): Promise<Party> {
    const { requestId } = http;
    const client = await this.authenticator.authenticate(clientCredentialsOf(http), requestId);
    const proof = await this.proofs.read(http);
    return {
      client,
      deviceId: deviceIdOf(http),
      ip: http.ip,
      dpopJkt: proof?.jkt,
      useProof: proof?.use,
      read: readTokenOf(http),
      requestId,
    };
  }
}
